import { call, importForeign, invoke, read } from "./foreign.js";
import type { OpenPeer, Peer, PeerSetting } from "./peer.js";

const cliProvider = "ai-sdk-provider-codex-cli";

export const openAiSdkExec: OpenPeer = async (setting) => {
  const provider = call(await importForeign(setting.packages, cliProvider), "createCodexExec", {
    defaultSettings: { ...sharedSettings(setting), sandboxMode: "read-only", skipGitRepoCheck: true },
  });
  return askThrough(setting, provider, async () => undefined);
};

export const openAiSdkAppServer: OpenPeer = async (setting) => {
  const provider = call(await importForeign(setting.packages, cliProvider), "createCodexAppServer", {
    defaultSettings: { ...sharedSettings(setting), sandboxPolicy: "read-only", approvalPolicy: "never" },
  });
  return askThrough(setting, provider, async () => void (await call(provider, "close")));
};

export const openInjectingAppServer: OpenPeer = async (setting) => {
  const peer = await importForeign(setting.packages, "ai-sdk-provider-codex-app-server");
  const provider = call(peer, "createCodexAppServer", {
    defaultSettings: { ...sharedSettings(setting), sandboxMode: "read-only", approvalMode: "never" },
  });
  // It has no way to end what it started; the process it runs in takes that down.
  return askThrough(setting, provider, async () => undefined);
};

function sharedSettings({ codexPath, workDirectory, environment }: PeerSetting) {
  return { codexPath, cwd: workDirectory, env: environment, logger: false };
}

async function askThrough(
  setting: PeerSetting,
  provider: unknown,
  close: () => Promise<void>,
): Promise<Peer> {
  const sdk = await importForeign(setting.packages, "ai");
  return {
    answer: async (prompt) => {
      const model = invoke(provider, setting.model);
      return String(read(await call(sdk, "generateText", { model, prompt, maxRetries: 0 }), "text"));
    },
    close,
  };
}
