/** The `native_api` object that lies beside OpenAI's fields in answers: who ran it, and how its ids map to Codex's. */
import type { PromptForm, QueueWait, RequestTarget } from "../../runtime/types.js";

export interface NativeApi {
  readonly route_path: string;
  readonly request_target: {
    readonly provider_profile_id: string | null;
    readonly provider_kind: string | null;
    readonly account_id: string | null;
    readonly worker_id: string | null;
    readonly app_server_generation: number | null;
    readonly task_class: string | null;
  };
  readonly response_mapping: {
    readonly response_id: string | null;
    readonly chat_completion_id: string | null;
    readonly previous_response_id: string | null;
    readonly native_thread_id: string | null;
    readonly native_turn_id: string | null;
  };
  readonly continuation: {
    readonly resumed: boolean;
    readonly mode: "native" | "replayed" | null;
    readonly previous_response_id: string | null;
    readonly source_native_thread_id: string | null;
    readonly source_native_turn_id: string | null;
  };
  readonly queue: {
    readonly waited_ms: number | null;
    readonly refusals: number | null;
  };
  readonly managed_texts: readonly string[];
  readonly prompt_form: PromptForm | null;
  readonly ignored_parameters: readonly string[];
}

export interface NativeApiFacts {
  readonly routePath: string;
  /** Null fields where no turn ran: health and models. */
  readonly target?: Partial<RequestTarget>;
  readonly taskClass?: string | null;
  readonly responseId?: string;
  readonly chatCompletionId?: string;
  readonly threadId?: string;
  readonly turnId?: string;
  readonly queue?: QueueWait | undefined;
  readonly promptForm?: PromptForm | undefined;
  /** Null where nothing was continued. */
  readonly continuation?: ContinuationFacts | null;
  readonly ignoredParameters?: readonly string[];
}

/** What a turn took up, and how. */
export interface ContinuationFacts {
  /** `native`: the native turn or thread went on. `replayed`: its history was put before the model anew. */
  readonly mode: "native" | "replayed" | null;
  /** Null where the caller named none, and sent the history. */
  readonly previousResponseId: string | null;
  /** Null where the thread is not known. */
  readonly threadId: string | null;
  readonly turnId: string;
}

export function describeNativeApi(facts: NativeApiFacts): NativeApi {
  const { target, continuation } = facts;
  return {
    route_path: facts.routePath,
    request_target: {
      provider_profile_id: target?.providerProfileId ?? null,
      provider_kind: target?.providerKind ?? null,
      account_id: target?.accountId ?? null,
      worker_id: target?.workerId ?? null,
      app_server_generation: target?.appServerGeneration ?? null,
      task_class: facts.taskClass ?? null,
    },
    response_mapping: {
      response_id: facts.responseId ?? null,
      chat_completion_id: facts.chatCompletionId ?? null,
      previous_response_id: continuation?.previousResponseId ?? null,
      native_thread_id: facts.threadId ?? null,
      native_turn_id: facts.turnId ?? null,
    },
    continuation: {
      resumed: (continuation?.mode ?? null) !== null,
      mode: continuation?.mode ?? null,
      previous_response_id: continuation?.previousResponseId ?? null,
      source_native_thread_id: continuation?.threadId ?? null,
      source_native_turn_id: continuation?.turnId ?? null,
    },
    queue: {
      waited_ms: facts.queue === undefined ? null : Math.round(facts.queue.waitedMs),
      refusals: facts.queue?.refusals ?? null,
    },
    managed_texts: target?.managedTexts ?? [],
    prompt_form: facts.promptForm ?? null,
    ignored_parameters: facts.ignoredParameters ?? [],
  };
}
