import type { CodexNativeApiError } from "../../errors.js";
import type { TokenUsage, TurnEvent, TurnStarted } from "../../runtime/types.js";
import { type ContinuationFacts, describeNativeApi, describeNativeRuntime } from "../answers/native-api.js";
import type { FileAccess } from "../answers/wire-types.js";
import { type Answer, type Encoding, type EventKind, endMarker, type TurnEnd } from "../dialect.js";
import { usedTier } from "../requests/parameters.js";
import type { ResponsesTurn } from "./decode.js";
import { EventLog } from "./item-streams.js";
import { sayUsedSampling } from "./request-echo.js";
import { ResponseOutput } from "./response-output.js";
import type { EventOf, LifecycleEventType, ResponseEvent } from "./wire-events.js";
import type { ResponseObject, ResponseUsage } from "./wire-response.js";

export function encodeResponse(turn: ResponsesTurn, encoding: Encoding): Answer<ResponseEvent> {
  return new ResponseEventStream(turn, encoding);
}

const preamble: ReadonlySet<string> = new Set(["response.created", "response.in_progress"]);

/**
 * One response: takes a turn's events and gives OpenAI's, in OpenAI's order, with exactly one terminal event. A response that
 * is not streamed goes the same way, so that both forms always agree; its events are dropped and `response` is the answer.
 */
export class ResponseEventStream implements Answer<ResponseEvent> {
  readonly id: string;
  readonly #turn: ResponsesTurn;
  readonly #encoding: Encoding;
  readonly #encoder = new ResponseEventEncoder();
  /**
   * One that is not streamed shows an item when it is finished, since the model may make it again: clients may attach to a background
   * response at any time.
   */
  readonly #showsWholeItems: boolean;
  readonly #log: EventLog;
  readonly #createdAtMs: number;
  #output: ResponseOutput;
  #state: "waiting" | "queued" | "running" | "ended" = "waiting";
  #continuation: ContinuationFacts | null = null;
  #fileAccess: FileAccess | null = null;
  #ignored: readonly string[];
  #started: TurnStarted | null = null;
  #usage: TokenUsage | null = null;
  #response: ResponseObject | null = null;

  constructor(turn: ResponsesTurn, encoding: Encoding) {
    this.#turn = turn;
    this.#showsWholeItems = !turn.stream;
    this.#log = new EventLog({ joinsDeltas: this.#showsWholeItems });
    this.#encoding = encoding;
    this.id = encoding.newId("resp");
    this.#createdAtMs = encoding.wallClock();
    this.#ignored = turn.ignoredParameters;
    this.#output = this.#createOutput();
  }

  #createOutput(): ResponseOutput {
    const { includeEncryptedReasoning, stream: isStreamed } = this.#turn;
    return new ResponseOutput(this.#log, {
      newId: this.#encoding.newId,
      includeEncryptedReasoning,
      isStreamed,
    });
  }

  get body(): ResponseObject {
    return this.#response ?? this.#build(this.#state === "queued" ? "queued" : "in_progress");
  }

  setContinuation(continuation: ContinuationFacts | null): void {
    this.#continuation = continuation;
  }

  setFileAccess(access: FileAccess): void {
    this.#fileAccess = access;
  }

  queue(): readonly ResponseEvent[] {
    if (this.#state !== "waiting") return [];
    this.#state = "queued";
    this.#tell("response.created", this.body);
    this.#tell("response.queued", this.body);
    return this.#log.take();
  }

  /** However often the turn starts, the client sees one beginning. */
  start(started: TurnStarted): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#started = started;
    this.#begin();
    return this.#log.take();
  }

  #begin(): void {
    const before = this.#state;
    this.#state = "running";
    if (before === "waiting") this.#tell("response.created", this.body);
    if (before !== "running") this.#tell("response.in_progress", this.body);
  }

  /** @throws CodexNativeApiError `upstream_connection_failed` when the model begins an item again whose words were streamed. */
  push(event: TurnEvent): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#output.push(event);
    return this.#showsWholeItems && this.#output.hasOpenItem ? [] : this.#log.take();
  }

  forget(): void {
    this.#output = this.#createOutput();
  }

  end({ outcome, usage, unmet }: TurnEnd): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    // One that was not to be run.
    if (this.#state === "waiting" && outcome.status === "completed") this.#begin();
    this.#usage = usage;
    this.#ignored = [...this.#ignored, ...unmet];
    // An item never finished, of a turn that was, is one whose end was lost: what it has may not be all.
    this.#output.cutShort();
    switch (outcome.status) {
      case "completed":
      // The model waits for the outputs of functions it called: to the client that is an answer like any other.
      case "parked":
      case "handed_over":
        return this.#finish(
          "response.completed",
          this.#build("completed", { completed_at: this.#nowSeconds() }),
        );
      case "incomplete":
        return this.#finish(
          "response.incomplete",
          this.#build("incomplete", { incomplete_details: { reason: outcome.reason } }),
        );
      case "cancelled":
        // OpenAI has no stream event for this; of the three terminal ones only this says that there is no answer.
        return this.#finish("response.failed", this.#build("cancelled", { error: cancelled }));
    }
  }

  /** Items under way stay open, as OpenAI leaves them; the response holds what there is of them. */
  fail(error: CodexNativeApiError): readonly ResponseEvent[] {
    if (error.code === "turn_cancelled") return this.end(cancellation);
    if (this.#state === "ended") return [];
    // Before its turn began, where the stream did not wait for that.
    if (this.#state === "waiting") this.#begin();
    const fault = { code: error.code, message: error.message };
    return this.#finish("response.failed", this.#build("failed", { error: fault }));
  }

  failedBody(error: CodexNativeApiError): ResponseObject {
    this.fail(error);
    return this.body;
  }

  encode(events: readonly ResponseEvent[]): string {
    return this.#encoder.encode(events);
  }

  /** A failed response is whole too: its last event says so. */
  endOfStream(): string {
    return this.#encoding.streamDone === false ? "" : endMarker;
  }

  kindOf({ type }: ResponseEvent): EventKind {
    if (type === "response.failed") return "failure";
    return preamble.has(type) ? "preamble" : "output";
  }

  #finish(type: LifecycleEventType, response: ResponseObject): readonly ResponseEvent[] {
    this.#state = "ended";
    this.#response = response;
    this.#tell(type, response);
    return this.#log.take();
  }

  #tell(type: LifecycleEventType, response: ResponseObject): void {
    this.#log.add({ type, response });
  }

  /** Never before it was created, also where the clock was set back meanwhile. */
  #nowSeconds(): number {
    return Math.floor(Math.max(this.#encoding.wallClock(), this.#createdAtMs) / 1000);
  }

  #build(status: ResponseObject["status"], end: End = {}): ResponseObject {
    const { echo, taskClass, request } = this.#turn;
    const started = this.#started;
    const model = started?.model ?? request.model ?? this.#encoding.defaultModel?.() ?? "";
    return {
      id: this.id,
      object: "response",
      created_at: Math.floor(this.#createdAtMs / 1000),
      completed_at: null,
      status,
      ...echo,
      ...sayUsedSampling(model),
      conversation: null,
      error: null,
      incomplete_details: null,
      model,
      moderation: null,
      output: this.#output.snapshot(),
      prompt: null,
      // Before it has started: of the request, or of the name of its model.
      reasoning: { ...echo.reasoning, effort: started?.effort ?? request.effort ?? null },
      service_tier: usedTier(request.serviceTier),
      usage: this.#usage === null ? null : describeUsage(this.#usage),
      native_api: describeNativeApi({
        routePath: this.#encoding.routePath,
        started,
        taskClass,
        requestedModel: request.requestedModel,
        metadata: echo.metadata,
        responseId: this.id,
        continuation: this.#continuation,
        fileAccess: this.#fileAccess,
        ignoredParameters: this.#ignored,
      }),
      native_runtime: describeNativeRuntime(started),
      ...end,
    };
  }
}

function describeUsage(usage: TokenUsage): ResponseUsage {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteInputTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
    total_tokens: usage.totalTokens,
  };
}

type End = Partial<Pick<ResponseObject, "completed_at" | "error" | "incomplete_details">>;

const cancellation: TurnEnd = { outcome: { status: "cancelled" }, usage: null, unmet: [] };

const cancelled = { code: "turn_cancelled", message: "The turn was cancelled." } as const;

/**
 * Events as server-sent text. Nearly all of them are text deltas that differ in number and text only, so the JSON around
 * those is made once for each content part.
 */
class ResponseEventEncoder {
  #partKey = "";
  #partOutputIndex = -1;
  #partContentIndex = -1;
  #head = "";

  encode(events: readonly ResponseEvent[]): string {
    let text = "";
    for (const event of events) {
      text += event.type === "response.output_text.delta" ? this.#encodeDelta(event) : encodeOther(event);
    }
    return text;
  }

  #encodeDelta(event: EventOf<"response.output_text.delta">): string {
    if (
      event.item_id !== this.#partKey ||
      event.content_index !== this.#partContentIndex ||
      event.output_index !== this.#partOutputIndex
    ) {
      this.#partKey = event.item_id;
      this.#partOutputIndex = event.output_index;
      this.#partContentIndex = event.content_index;
      const { type, item_id, output_index, content_index, logprobs } = event;
      const fixed = JSON.stringify({ type, item_id, output_index, content_index, logprobs });
      this.#head = `event: ${type}\ndata: ${fixed.slice(0, -1)},"sequence_number":`;
    }
    return `${this.#head}${event.sequence_number},"delta":${JSON.stringify(event.delta)}}\n\n`;
  }
}

function encodeOther(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
