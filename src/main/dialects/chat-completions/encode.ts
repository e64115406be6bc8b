import { CodexNativeApiError } from "../../errors.js";
import type {
  IsolatedTurnResult,
  JsonObject,
  TokenUsage,
  TurnEvent,
  TurnStarted,
} from "../../runtime/types.js";
import { isCommentary } from "../answers/commentary.js";
import { describeError } from "../answers/error-body.js";
import { type ContinuationFacts, describeNativeApi, describeNativeRuntime } from "../answers/native-api.js";
import type { ErrorBody, FileAccess } from "../answers/wire-types.js";
import { type Answer, type Encoding, type EventKind, endMarker, type TurnEnd } from "../dialect.js";
import { usedTier } from "../requests/parameters.js";
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

/** Of one choice among several: what it shares with the others, and its place. */
export interface ChoicePlace {
  readonly id: string;
  /** Unix time in milliseconds. */
  readonly createdAtMs: number;
  readonly index: number;
}

/**
 * One completion: takes a turn's events and gives OpenAI's chunks, the role first and the `finish_reason` last. One that is
 * not streamed gives none, and `body` is the answer.
 */
export class CompletionStream implements Answer<ChatStreamPart> {
  readonly id: string;
  readonly #turn: ChatTurn;
  readonly #encoding: Encoding;
  /** Null: it is the only one. */
  readonly #place: ChoicePlace | null;
  #message: Message;
  readonly #createdAtSeconds: number;
  #state: "waiting" | "open" | "ended" = "waiting";
  #started: TurnStarted | null = null;
  #continuation: ContinuationFacts | null = null;
  #fileAccess: FileAccess | null = null;
  #ignored: readonly string[];
  #completion: ChatCompletion | null = null;
  #usage: TokenUsage | null = null;

  constructor(turn: ChatTurn, encoding: Encoding, place: ChoicePlace | null = null) {
    this.#turn = turn;
    this.#encoding = encoding;
    this.#place = place;
    this.id = place?.id ?? newCompletionId(encoding);
    this.#createdAtSeconds = Math.floor((place?.createdAtMs ?? encoding.wallClock()) / 1000);
    this.#ignored = turn.ignoredParameters;
    this.#message = this.#createMessage();
  }

  #createMessage(): Message {
    return new Message(this.#turn.stream, this.#encoding.newId, this.#turn.stops);
  }

  get isSatisfied(): boolean {
    return this.#message.isStopped;
  }

  /** A stop sequence leaves the text before it, and no calls of the caller's. */
  asShown(items: readonly JsonObject[]): readonly JsonObject[] {
    if (!this.isSatisfied) return items;
    const text = this.#message.build([]).content ?? "";
    const message = { type: "message", content: [{ type: "output_text", text }] };
    return [...items.filter(({ type }) => type === "web_search_call"), message];
  }

  forget(): void {
    this.#message = this.#createMessage();
  }

  /** None after an error, as with OpenAI. */
  endOfStream(ok: boolean): string {
    return ok ? endMarker : "";
  }

  /** Once ended well. */
  get body(): ChatCompletion {
    if (this.#completion === null) throw new Error("A completion that has not ended has no body.");
    return this.#completion;
  }

  /** Once ended well; null where Codex reported none. */
  get usage(): TokenUsage | null {
    return this.#usage;
  }

  setContinuation(continuation: ContinuationFacts | null): void {
    this.#continuation = continuation;
  }

  setFileAccess(access: FileAccess): void {
    this.#fileAccess = access;
  }

  /** The first chunk comes with the model's first output. */
  start(started: TurnStarted): readonly ChatStreamPart[] {
    this.#started = started;
    return [];
  }

  /** The first chunk, unless it was sent already. As with OpenAI, only an answer that begins with its text has an empty one. */
  #open(content: "" | null): readonly ChatStreamPart[] {
    if (this.#state !== "waiting" || !this.#turn.stream) return [];
    this.#state = "open";
    const first = this.#chunk({ role: "assistant", content }, null);
    return [{ ...first, ...this.#native() }];
  }

  /** @throws CodexNativeApiError `upstream_connection_failed` when the model begins an item again whose words were streamed. */
  push(event: TurnEvent): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    const deltas = this.#message.push(event);
    if (!this.#turn.stream) return [];
    const opening = event.type === "item.started" || deltas.length > 0 ? this.#open(beginningOf(event)) : [];
    return [...opening, ...deltas.map((delta) => this.#chunk(delta, null))];
  }

  /** @throws CodexNativeApiError `turn_cancelled`: no caller waits for a partial answer. */
  end({ outcome, usage, unmet }: TurnEnd): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    if (outcome.status === "cancelled") {
      throw new CodexNativeApiError("turn_cancelled", "The turn was cancelled.");
    }
    const calledIds = calledIdsOf(outcome);
    const opening = this.#open(calledIds === null ? "" : null);
    this.#state = "ended";
    if (outcome.status !== "incomplete") this.#ignored = [...this.#ignored, ...unmet];
    const rest = this.#message.finish();
    const calls = calledIds === null ? [] : this.#message.callsOf(calledIds);
    const reason = finishReasonOf(outcome);
    this.#usage = usage;
    this.#completion = this.#build(this.#message.build(calls), reason);
    if (!this.#turn.stream) return [];
    return [
      ...opening,
      ...rest.map((delta) => this.#chunk(delta, null)),
      ...calls.map((call, index) => this.#chunk({ tool_calls: [{ index, ...call }] }, null)),
      { ...this.#chunk({}, reason), ...this.#native() },
      ...(this.#place === null ? this.usageChunk(usage) : []),
    ];
  }

  /** The failure of one choice is that of them all, and told once. */
  fail(error: CodexNativeApiError): readonly ChatStreamPart[] {
    if (this.#state === "ended") return [];
    this.#state = "ended";
    return this.#turn.stream && this.#place === null ? [describeError(error)] : [];
  }

  failedBody(error: CodexNativeApiError): ErrorBody {
    return describeError(error);
  }

  historyItems(): readonly JsonObject[] {
    return this.body.choices.flatMap(({ message: { role, content, refusal, tool_calls: calls } }) =>
      toHistoryItems({ role, content, refusal, tool_calls: calls?.map((call) => ({ ...call })) }, new Map()),
    );
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

  /** The last chunk of a stream that tells the usage; none for others. */
  usageChunk(usage: TokenUsage | null): readonly ChatChunk[] {
    if (!this.#turn.stream || !this.#turn.includeUsage) return [];
    const described = usage === null ? null : describeUsage(usage);
    return [{ ...this.#head("chat.completion.chunk"), choices: [], usage: described }];
  }

  #build(message: WireMessage, reason: FinishReason): ChatCompletion {
    const { metadata } = this.#turn;
    const usage = this.#usage;
    return {
      ...this.#head("chat.completion"),
      choices: [{ index: this.#index, message, logprobs: null, finish_reason: reason }],
      ...(usage !== null && { usage: describeUsage(usage) }),
      ...(metadata !== null && { metadata }),
      ...this.#native(),
    };
  }

  #chunk(delta: Delta, reason: FinishReason | null): ChatChunk {
    return {
      ...this.#head("chat.completion.chunk"),
      choices: [{ index: this.#index, delta, logprobs: null, finish_reason: reason }],
      ...(this.#turn.includeUsage && { usage: null }),
    };
  }

  get #index(): number {
    return this.#place?.index ?? 0;
  }

  #head<Kind extends string>(object: Kind): CompletionHead & { readonly object: Kind } {
    return {
      id: this.id,
      object,
      created: this.#createdAtSeconds,
      model: this.#started?.model ?? this.#turn.request.model ?? "",
      service_tier: usedTier(this.#turn.request.serviceTier),
      system_fingerprint: null,
    };
  }

  #native(): Pick<ChatCompletion, "native_api" | "native_runtime"> {
    return {
      native_api: describeNativeApi({
        routePath: this.#encoding.routePath,
        started: this.#started,
        taskClass: this.#turn.taskClass,
        requestedModel: this.#turn.request.requestedModel,
        metadata: this.#turn.metadata,
        chatCompletionId: this.id,
        continuation: this.#continuation,
        fileAccess: this.#fileAccess,
        ignoredParameters: this.#ignored,
      }),
      native_runtime: describeNativeRuntime(this.#started),
    };
  }
}

/** OpenAI writes this one id with a hyphen. */
export function newCompletionId({ newId }: Pick<Encoding, "newId">): string {
  return newId("chatcmpl").replace("_", "-");
}

/** The calls that the caller is to answer; null where the turn ended otherwise. */
function calledIdsOf(outcome: Outcome): readonly string[] | null {
  return outcome.status === "parked" || outcome.status === "handed_over" ? outcome.callIds : null;
}

/** Whether the text of the answer begins with this event. */
function beginningOf(event: TurnEvent): "" | null {
  if (event.type === "item.started") {
    return event.itemType === "message" && !isCommentary(event) && event.phaseFollows !== true ? "" : null;
  }
  if (event.type === "text.delta") return "";
  return event.type === "item.completed" && event.item.type === "message" && !isCommentary(event.item)
    ? ""
    : null;
}

function finishReasonOf(outcome: Outcome): FinishReason {
  if (calledIdsOf(outcome) !== null) return "tool_calls";
  if (outcome.status !== "incomplete") return "stop";
  // Whatever the reason, the answer is not whole.
  return outcome.reason === "content_filter" ? "content_filter" : "length";
}

export function describeUsage(usage: TokenUsage): CompletionUsage {
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
