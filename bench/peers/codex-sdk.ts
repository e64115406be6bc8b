import { call, construct, importForeign, read } from "./foreign.js";
import type { OpenPeer } from "./peer.js";

/** A `codex exec` process a turn. */
export const openCodexSdk: OpenPeer = async (setting) => {
  const sdk = await importForeign(setting.packages, "@openai/codex-sdk");
  const codex = construct(sdk, "Codex", {
    codexPathOverride: setting.codexPath,
    env: setting.environment,
  });
  const options = {
    model: setting.model,
    sandboxMode: "read-only",
    skipGitRepoCheck: true,
    workingDirectory: setting.workDirectory,
  };
  return {
    answer: async (prompt) => {
      const turn = await call(call(codex, "startThread", options), "run", prompt);
      return String(read(turn, "finalResponse"));
    },
    close: async () => undefined,
  };
};
