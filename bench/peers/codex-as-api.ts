import { join } from "node:path";
import { request } from "undici";
import { call, construct, importForeign, read } from "./foreign.js";
import type { OpenPeer } from "./peer.js";

/** Its own HTTP server; it takes the login out of `auth.json` and calls the model backend itself. */
export const openCodexAsApi: OpenPeer = async (setting) => {
  const peer = await importForeign(setting.packages, "codex-as-api");
  const { model } = setting;
  const authJsonPath = join(setting.userHome, "auth.json");
  const provider = construct(peer, "ChatGPTOAuthProvider", {
    model,
    baseUrl: setting.backendUrl,
    authJsonPath,
  });
  const app = call(peer, "createApp", { provider, model, authPath: authJsonPath });
  const server = call(app, "listen", 0, "127.0.0.1");
  await new Promise<void>((resolve) => void call(server, "once", "listening", resolve));
  const url = `http://127.0.0.1:${read(call(server, "address"), "port")}/v1/chat/completions`;
  return {
    answer: async (prompt) => {
      const { statusCode, body } = await request(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages: [{ role: "user", content: prompt }] }),
      });
      const answer: unknown = await body.json();
      if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${JSON.stringify(answer).slice(0, 300)}`);
      return String(read(read(read(read(answer, "choices"), "0"), "message"), "content"));
    },
    close: async () => void call(server, "close"),
  };
};
