import type { CodexNativeApiError } from "../../errors.js";
import type {
  IsolatedTurnResult,
  JsonObject,
  TokenUsage,
  TurnEvent,
  TurnStarted,
} from "../../runtime/types.js";
import type { NativeApi } from "../answers/native-api.js";
import { unmetObligations } from "../answers/obligations.js";
import { Answer } from "./answer.js";
import {
  type ChatContinuation,
  calledIdsOf,
  describeChatNativeApi,
  describeErrorChunk,
  describeUsage,
  finishReasonOf,
} from "./completion-object.js";
import type { ChatTurn } from "./request-to-turn.js";
import type {
  ChatChunk,
  ChatCompletion,
  ChatStreamPart,
  CompletionHead,
  Delta,
  FinishReason,
  WireMessage,
} from "./wire-types.js";

export interface CompletionStreamOptions {
  readonly turn: ChatTurn;
  readonly routePath: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** A new id with the given prefix, never used before. */
  readonly newId: (prefix: string) => string;
}

type Outcome = IsolatedTurnResult["outcome"];

/**
 * One completion: takes a turn's events and gives OpenAI's chunks, the role first and the `finish_reason` last. One that is
 * not streamed gives none, and `completion` is the answer.
 */
export class CompletionStream {
  readonly id: string;
  readonly #options: CompletionStreamOptions;
  #answer: Answer;
  readonly #createdAtSeconds: number;
  readonly #outputItems: JsonObject[] = [];
  #state: "waiting" | "open" | "ended" = "waiting";
  #started: TurnStarted | null = null;
  #continuation: ChatContinuation | null = null;
  #ignored: readonly string[];
  #completion: ChatCompletion | null = null;

  constructor(options: CompletionStreamOptions) {
    this.#options = options;
    const { turn, newId, wallClock } = options;
    // OpenAI writes this one id with a hyphen.
    this.id = newId("chatcmpl").replace("_", "-");
    this.#createdAtSeconds = Math.floor(wallClock() / 1000);
    this.#ignored = turn.ignoredParameters;
    this.#answer = new Answer({ streamed: turn.stream, newId });
  }

  /** The turn begins anew. Only where the client has had no chunk. */
  forget(): void {
    const { turn, newId } = this.#options;
    this.#answer = new Answer({ streamed: turn.stream, newId });
    this.#outputItems.length = 0;
  }

  /** The answer, once ended; null before, and where it failed. */
  get completion(): ChatCompletion | null {
    return this.#completion;
  }

  setContinuation(continuation: ChatContinuation | null): void {
    this.#continuation = continuation;
  }

  /** Codex took the turn on. Its first chunk comes with the model's first output. */
  start(started: TurnStarted): void {
    this.#started = started;
  }

  /** The first chunk, unless it was told already. */
  #open(): readonly ChatStreamPart[] {
    if (this.#state !== "waiting" || !this.#options.turn.stream) return [];
    this.#state = "open";
    const first = this.#chunk({ role: "assistant", content: "" }, null);
    return [{ ...first, native_api: this.#nativeApi() }];
  }

  /** @throws CodexNativeApiError `upstream_connection_failed` when the model takes back what was told. */
  push(event: TurnEvent): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    if (event.type === "item.completed") this.#outputItems.push(event.item);
    const deltas = this.#answer.push(event);
    if (!this.#options.turn.stream) return [];
    const opening = event.type === "item.started" || deltas.length > 0 ? this.#open() : [];
    return [...opening, ...deltas.map((delta) => this.#chunk(delta, null))];
  }

  /** `usage` is the sum over the model calls of this answer; null where Codex reported none. */
  end(outcome: Outcome, usage: TokenUsage | null): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    const { turn } = this.#options;
    const opening = this.#open();
    this.#state = "ended";
    const calledIds = calledIdsOf(outcome);
    if (outcome.status === "completed" || calledIds !== null) {
      this.#ignored = [...this.#ignored, ...unmetObligations(turn.obligations, this.#outputItems)];
    }
    const calls = calledIds === null ? [] : this.#answer.callsOf(calledIds);
    const reason = finishReasonOf(outcome);
    this.#completion = this.#build(this.#answer.message(calls), reason, usage);
    if (!turn.stream) return [];
    return [
      ...opening,
      ...calls.map((call, index) => this.#chunk({ tool_calls: [{ index, ...call }] }, null)),
      { ...this.#chunk({}, reason), native_api: this.#nativeApi() },
      ...(turn.includeUsage ? [this.#usageChunk(usage)] : []),
    ];
  }

  fail(error: CodexNativeApiError): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    this.#state = "ended";
    return this.#options.turn.stream ? [describeErrorChunk(error)] : [];
  }

  #build(message: WireMessage, reason: FinishReason, usage: TokenUsage | null): ChatCompletion {
    const { turn } = this.#options;
    const { id, ...head } = this.#head();
    return {
      id,
      object: "chat.completion",
      ...head,
      choices: [{ index: 0, message, logprobs: null, finish_reason: reason }],
      ...(usage !== null && { usage: describeUsage(usage) }),
      ...(turn.metadata !== null && { metadata: turn.metadata }),
      native_api: this.#nativeApi(),
    };
  }

  #chunk(delta: Delta, reason: FinishReason | null): ChatChunk {
    return {
      ...this.#chunkHead(),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...(this.#options.turn.includeUsage && { usage: null }),
    };
  }

  #usageChunk(usage: TokenUsage | null): ChatChunk {
    return { ...this.#chunkHead(), choices: [], usage: usage === null ? null : describeUsage(usage) };
  }

  #chunkHead(): CompletionHead & { readonly object: "chat.completion.chunk" } {
    const { id, ...head } = this.#head();
    return { id, object: "chat.completion.chunk", ...head };
  }

  #head(): CompletionHead {
    return {
      id: this.id,
      created: this.#createdAtSeconds,
      model: this.#started?.model ?? this.#options.turn.request.model ?? "",
      service_tier: this.#options.turn.serviceTier,
      system_fingerprint: null,
    };
  }

  #nativeApi(): NativeApi {
    const { routePath, turn } = this.#options;
    const started = this.#started;
    return describeChatNativeApi({
      routePath,
      ...(started !== null && {
        target: started.target,
        threadId: started.threadId,
        queue: started.queue,
        promptForm: started.promptForm,
        turnId: started.turnId,
      }),
      taskClass: turn.taskClass,
      completionId: this.id,
      chatContinuation: this.#continuation,
      ignoredParameters: this.#ignored,
    });
  }
}
