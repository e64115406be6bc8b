/**
 * What stands beside OpenAI's fields in answers: `native_api` says who ran the turn, and how its ids map to Codex's; `native_runtime`
 * names the turn for chat bridges, which keep a session of these names.
 */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { RequestTarget, TurnStarted } from "../../runtime/types.js";
import type { FileAccess, NativeApi, NativeRuntimeNames } from "./wire-types.js";

export interface NativeApiFacts {
  readonly routePath: string;
  /** Null before the turn has started. */
  readonly started?: TurnStarted | null;
  /** Where no turn runs: health and models. Default: that of `started`. */
  readonly target?: Partial<RequestTarget>;
  readonly taskClass?: string | null;
  /** The model as the request named it. Default: it named none. */
  readonly requestedModel?: string | null | undefined;
  /** The caller's own, of which it may ask for parts. */
  readonly metadata?: JsonObject | null;
  readonly responseId?: string;
  readonly chatCompletionId?: string;
  /** Null where nothing was continued. */
  readonly continuation?: ContinuationFacts | null;
  /** Default: the request is no chat bridge's. */
  readonly fileAccess?: FileAccess | null;
  readonly ignoredParameters?: readonly string[];
}

/** What several turns of one request could read; null for those of no chat bridge. */
export function joinFileAccess(accesses: readonly (FileAccess | null)[]): FileAccess | null {
  const given = accesses.filter((access) => access !== null);
  const [first] = given;
  if (first === undefined) return null;
  const read = given.flatMap((access) => access.read);
  return { ...first, read, refused: given.flatMap((access) => access.refused) };
}

/** Which response or turn a turn continues, and how. */
export interface ContinuationFacts {
  /** `native`: the native turn or thread was continued. `replayed`: its history was sent to the model again. */
  readonly mode: "native" | "replayed" | null;
  /** Null where the caller named none and sent the history. */
  readonly previousResponseId: string | null;
  /** Null where the thread is not known. */
  readonly threadId: string | null;
  readonly turnId: string;
  readonly routeKind: "responses" | "chat_completions";
}

export function describeNativeApi(facts: NativeApiFacts): NativeApi {
  const { started, continuation } = facts;
  const target: Partial<RequestTarget> = started?.target ?? facts.target ?? {};
  const { queue } = started ?? {};
  return {
    route_path: facts.routePath,
    request_target: {
      provider_profile_id: target.providerProfileId ?? null,
      provider_kind: target.providerKind ?? null,
      account_id: target.accountId ?? null,
      worker_id: target.workerId ?? null,
      app_server_generation: target.appServerGeneration ?? null,
      task_class: facts.taskClass ?? null,
    },
    response_mapping: {
      response_id: facts.responseId ?? null,
      chat_completion_id: facts.chatCompletionId ?? null,
      previous_response_id: continuation?.previousResponseId ?? null,
      native_thread_id: started?.threadId ?? null,
      native_turn_id: started?.turnId ?? null,
    },
    continuation: {
      resumed: (continuation?.mode ?? null) !== null,
      mode: continuation?.mode ?? null,
      previous_response_id: continuation?.previousResponseId ?? null,
      source_native_thread_id: continuation?.threadId ?? null,
      source_native_turn_id: continuation?.turnId ?? null,
      source_response_id: continuation?.previousResponseId ?? null,
      source_route_kind: continuation?.routeKind ?? null,
    },
    queue: {
      waited_ms: queue === undefined ? null : Math.round(queue.waitedMs),
      refusals: queue?.refusals ?? null,
    },
    managed_texts: target.managedTexts ?? [],
    requested_model: facts.requestedModel ?? null,
    prompt_form: started?.promptForm ?? null,
    file_access: facts.fileAccess ?? null,
    ignored_parameters: facts.ignoredParameters ?? [],
    ...repeatTaskMetadata(facts.metadata?.codexbridge),
  };
}

/** What a chat bridge may ask for in `metadata.codexbridge.include`. */
export const includableMetadata = ["eventMetadata", "threadMetadata"] as const;

/** The parts of a task's metadata that its caller asks for; null for one that it did not give. */
function repeatTaskMetadata(bridge: unknown): Pick<NativeApi, "event_metadata" | "thread_metadata"> {
  if (!isJsonObject(bridge) || !Array.isArray(bridge.include)) return {};
  const { include, eventMetadata, threadMetadata } = bridge;
  const objectOrNull = (value: unknown) => (isJsonObject(value) ? value : null);
  return {
    ...(include.includes("eventMetadata") && { event_metadata: objectOrNull(eventMetadata) }),
    ...(include.includes("threadMetadata") && { thread_metadata: objectOrNull(threadMetadata) }),
  };
}

/** Null before the turn has started. A session is one native thread here. */
export function describeNativeRuntime(started: TurnStarted | null): NativeRuntimeNames {
  if (started === null) return null;
  return {
    thread_id: started.threadId,
    turn_id: started.turnId,
    bridge_session_id: started.threadId,
    provider_profile_id: started.target.providerProfileId,
  };
}
