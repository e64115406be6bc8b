import { newestTestedCodex } from "../../../src/workers/contract/codex-capabilities.js";
import type { JsonObject } from "../../../src/workers/contract/json.js";
import type { ScriptedAnswer, ScriptedCall } from "./scripted-app-server.js";

const model: JsonObject = {
  id: "scripted-model",
  model: "scripted-model",
  displayName: "Scripted",
  description: "plays what it is told",
  hidden: false,
  isDefault: true,
  supportedReasoningEfforts: [],
  defaultReasoningEffort: null,
};

/** What an app-server without faults says, `turn/start` aside. */
export function healthyAnswers({ method }: ScriptedCall, id: number): ScriptedAnswer {
  switch (method) {
    case "initialize":
      return { result: { userAgent: `scripted/${newestTestedCodex} (test)` } };
    case "account/read":
      return { result: { account: null, requiresOpenaiAuth: false } };
    case "model/list":
      return { result: { data: [model], nextCursor: null } };
    case "config/read":
      return { result: { config: {}, origins: {} } };
    case "configRequirements/read":
      return { result: { requirements: null } };
    case "thread/loaded/list":
      return { result: { data: [], nextCursor: null } };
    case "thread/start":
      return { result: { thread: { id: `thread-${id}` }, model: "scripted-model" } };
    case "thread/inject_items":
    case "turn/interrupt":
      return { result: {} };
    case "thread/unsubscribe":
      return { result: { status: "unsubscribed" } };
    case "thread/read":
      return { result: { thread: { id: `thread-${id}`, status: { type: "idle" }, turns: [] } } };
    default:
      return { error: { code: -32601, message: `${method} is not played` } };
  }
}
