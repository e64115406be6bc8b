/** Side tasks of a chat bridge, and `codex-native-api serve` as the process beside which it runs. */
import type { Test } from "tap";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";
import { type BridgeTask, ChatBridge, type PromptContext, patientMs } from "./chat-bridge.js";
import { prepareCommand, ServeProcess } from "./cli-harness.js";
import { text } from "./offline-backend/index.js";

export const contextOf = (mode: string, title: string, command: string | null): PromptContext => ({
  mode,
  title,
  source: `${mode}-mark`,
  command,
  subcommand: null,
  operation: null,
});

export const threadMetadata = { sourcePlatform: "thread-mark", source: "command-skill" };

/** A task of each class, with the effort that the chat's settings give, or none. */
export const tasks = {
  intent: {
    taskClass: "intent_classification",
    prompt: 'Return one JSON object {"intent": …} for: open the garage',
    context: contextOf("intent-classifier", "Intent", null),
    threadMetadata,
    cwd: "/srv/bridge",
    effort: "low",
  },
  normalization: {
    taskClass: "normalization",
    prompt: 'Return one JSON object {"text": …} for: OPEN the garage',
    context: contextOf("command-skill-parser", "Normalizer", "/auto"),
    threadMetadata,
    cwd: "/srv/bridge",
  },
  verification: {
    taskClass: "small_verification",
    prompt: 'Return one JSON object {"passed": …} for: the garage is open',
    context: contextOf("agent-result-verifier", "Agent Verifier", "agent"),
    threadMetadata,
    cwd: "/srv/bridge",
  },
  reasoning: {
    taskClass: "side_reasoning",
    prompt: "Put the review into the reader's language: LGTM",
    context: contextOf("review-result-localizer", "Review Result Localizer", "review"),
    threadMetadata,
    cwd: null,
    effort: "medium",
  },
} satisfies Record<string, BridgeTask>;

export const hello: BridgeTask = { ...tasks.normalization, prompt: "Say hello." };

/** `serve` on a port of its own, ready. */
export async function startServe(t: Pick<Test, "teardown">, env: Readonly<Record<string, string>>) {
  const serve = new ServeProcess(t, env);
  const url = String((await serve.waitFor("service.listening")).url);
  return { serve, url };
}

export async function prepareServe(t: Pick<Test, "teardown">, env: Readonly<Record<string, string>> = {}) {
  const prepared = await prepareCommand(t);
  prepared.backend.setDefaultReply(text("hello"));
  const started = await startServe(t, { ...prepared.environment, ...env });
  await started.serve.waitFor("codex.ready");
  return { ...prepared, ...started };
}

export const patientBridge = (baseUrl: string) => new ChatBridge({ baseUrl, timeoutMs: patientMs });

export const accountOf = (body: JsonObject | null) =>
  partOf(body, "native_api", "request_target")?.account_id;

export function partOf(body: JsonObject | null, ...names: readonly string[]): JsonObject | null {
  let part: unknown = body;
  for (const name of names) part = isJsonObject(part) ? part[name] : null;
  return isJsonObject(part) ? part : null;
}
