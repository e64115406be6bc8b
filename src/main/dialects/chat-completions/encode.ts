import { CodexNativeApiError } from "../../errors.js";
import type {
  IsolatedTurnResult,
  JsonObject,
  TokenUsage,
  TurnEvent,
  TurnStarted,
} from "../../runtime/types.js";
import { describeError, type ErrorBody } from "../answers/error-body.js";
import { type ContinuationFacts, describeNativeApi, type NativeApi } from "../answers/native-api.js";
import type { Answer, Encoding, EventKind, TurnEnd } from "../dialect.js";
import type { ChatTurn } from "./decode.js";
import { toHistoryItems } from "./history-items.js";
import { Message } from "./message.js";
import type {
  ChatChunk,
  ChatCompletion,
  ChatStreamPart,
  CompletionHead,
  CompletionUsage,
  Delta,
  FinishReason,
  WireMessage,
} from "./wire-types.js";

export function encodeChat(turn: ChatTurn, encoding: Encoding): Answer<ChatStreamPart> {
  return new CompletionStream(turn, encoding);
}

type Outcome = IsolatedTurnResult["outcome"];

/**
 * One completion: takes a turn's events and gives OpenAI's chunks, the role first and the `finish_reason` last. One that is
 * not streamed gives none, and `body` is the answer.
 */
export class CompletionStream implements Answer<ChatStreamPart> {
  readonly id: string;
  readonly endOfStream = "data: [DONE]\n\n";
  readonly #turn: ChatTurn;
  readonly #encoding: Encoding;
  #message: Message;
  readonly #createdAtSeconds: number;
  #state: "waiting" | "open" | "ended" = "waiting";
  #started: TurnStarted | null = null;
  #continuation: ContinuationFacts | null = null;
  #ignored: readonly string[];
  #completion: ChatCompletion | null = null;

  constructor(turn: ChatTurn, encoding: Encoding) {
    this.#turn = turn;
    this.#encoding = encoding;
    // OpenAI writes this one id with a hyphen.
    this.id = encoding.newId("chatcmpl").replace("_", "-");
    this.#createdAtSeconds = Math.floor(encoding.wallClock() / 1000);
    this.#ignored = turn.ignoredParameters;
    this.#message = this.#createMessage();
  }

  #createMessage(): Message {
    return new Message({ streamed: this.#turn.stream, newId: this.#encoding.newId });
  }

  forget(): void {
    this.#message = this.#createMessage();
  }

  /** Once ended well. */
  get body(): ChatCompletion {
    if (this.#completion === null) throw new Error("A completion that has not ended has no body.");
    return this.#completion;
  }

  setContinuation(continuation: ContinuationFacts | null): void {
    this.#continuation = continuation;
  }

  /** The first chunk comes with the model's first output. */
  start(started: TurnStarted): readonly ChatStreamPart[] {
    this.#started = started;
    return [];
  }

  /** The first chunk, unless it was told already. */
  #open(): readonly ChatStreamPart[] {
    if (this.#state !== "waiting" || !this.#turn.stream) return [];
    this.#state = "open";
    const first = this.#chunk({ role: "assistant", content: "" }, null);
    return [{ ...first, native_api: this.#nativeApi() }];
  }

  /** @throws CodexNativeApiError `upstream_connection_failed` when the model takes back what was told. */
  push(event: TurnEvent): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    const deltas = this.#message.push(event);
    if (!this.#turn.stream) return [];
    const opening = event.type === "item.started" || deltas.length > 0 ? this.#open() : [];
    return [...opening, ...deltas.map((delta) => this.#chunk(delta, null))];
  }

  /** @throws CodexNativeApiError `turn_cancelled`: half an answer that nobody waits for is none. */
  end({ outcome, usage, unmet }: TurnEnd): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    if (outcome.status === "cancelled") {
      throw new CodexNativeApiError("turn_cancelled", "The turn was cancelled.");
    }
    const opening = this.#open();
    this.#state = "ended";
    const calledIds = calledIdsOf(outcome);
    if (outcome.status !== "incomplete") this.#ignored = [...this.#ignored, ...unmet];
    const calls = calledIds === null ? [] : this.#message.callsOf(calledIds);
    const reason = finishReasonOf(outcome);
    this.#completion = this.#build(this.#message.build(calls), reason, usage);
    if (!this.#turn.stream) return [];
    return [
      ...opening,
      ...calls.map((call, index) => this.#chunk({ tool_calls: [{ index, ...call }] }, null)),
      { ...this.#chunk({}, reason), native_api: this.#nativeApi() },
      ...(this.#turn.includeUsage ? [this.#usageChunk(usage)] : []),
    ];
  }

  fail(error: CodexNativeApiError): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    this.#state = "ended";
    return this.#turn.stream ? [describeError(error)] : [];
  }

  failedBody(error: CodexNativeApiError): ErrorBody {
    return describeError(error);
  }

  historyItems(): readonly JsonObject[] {
    const { role, content, refusal, tool_calls: calls } = this.body.choices[0].message;
    const message = { role, content, refusal, tool_calls: calls?.map((call) => ({ ...call })) };
    return toHistoryItems(message, new Map());
  }

  encode(parts: readonly ChatStreamPart[]): string {
    let text = "";
    for (const part of parts) text += `data: ${JSON.stringify(part)}\n\n`;
    return text;
  }

  /** The first chunk comes with the model's first output. */
  kindOf(part: ChatStreamPart): EventKind {
    return "error" in part ? "failure" : "output";
  }

  #build(message: WireMessage, reason: FinishReason, usage: TokenUsage | null): ChatCompletion {
    const { metadata } = this.#turn;
    const { id, ...head } = this.#head();
    return {
      id,
      object: "chat.completion",
      ...head,
      choices: [{ index: 0, message, logprobs: null, finish_reason: reason }],
      ...(usage !== null && { usage: describeUsage(usage) }),
      ...(metadata !== null && { metadata }),
      native_api: this.#nativeApi(),
    };
  }

  #chunk(delta: Delta, reason: FinishReason | null): ChatChunk {
    return {
      ...this.#chunkHead(),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...(this.#turn.includeUsage && { usage: null }),
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
      model: this.#started?.model ?? this.#turn.request.model ?? "",
      service_tier: this.#turn.serviceTier,
      system_fingerprint: null,
    };
  }

  #nativeApi(): NativeApi {
    const started = this.#started;
    return describeNativeApi({
      routePath: this.#encoding.routePath,
      ...(started !== null && {
        target: started.target,
        threadId: started.threadId,
        queue: started.queue,
        promptForm: started.promptForm,
        turnId: started.turnId,
      }),
      taskClass: this.#turn.taskClass,
      chatCompletionId: this.id,
      continuation: this.#continuation,
      ignoredParameters: this.#ignored,
    });
  }
}

function describeUsage(usage: TokenUsage): CompletionUsage {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteInputTokens,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningOutputTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The calls that the caller is to answer; null where the turn ended otherwise. */
function calledIdsOf(outcome: Outcome): readonly string[] | null {
  return outcome.status === "parked" || outcome.status === "handed_over" ? outcome.callIds : null;
}

function finishReasonOf(outcome: Outcome): FinishReason {
  if (calledIdsOf(outcome) !== null) return "tool_calls";
  if (outcome.status !== "incomplete") return "stop";
  // Whatever the reason, the answer is not whole.
  return outcome.reason === "content_filter" ? "content_filter" : "length";
}
