import { openAiSdkAppServer, openAiSdkExec, openInjectingAppServer } from "./ai-sdk-providers.js";
import { openCodexAsApi } from "./codex-as-api.js";
import { openCodexSdk } from "./codex-sdk.js";
import type { OpenPeer } from "./peer.js";

/** By the name it has in the report. */
export const peers: Readonly<Record<string, OpenPeer>> = {
  "@openai/codex-sdk": openCodexSdk,
  "ai-sdk-provider-codex-cli, exec": openAiSdkExec,
  "ai-sdk-provider-codex-cli, app-server": openAiSdkAppServer,
  "ai-sdk-provider-codex-app-server": openInjectingAppServer,
  // It asks the backend for a list of models in a way that the offline one has no answer for, and says so in the report.
  "codex-as-api (calls the backend itself, without Codex)": openCodexAsApi,
};
