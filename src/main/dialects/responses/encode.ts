import type { CodexNativeApiError } from "../../errors.js";
import type { TokenUsage, TurnEvent, TurnStarted } from "../../runtime/types.js";
import { type ContinuationFacts, describeNativeApi } from "../answers/native-api.js";
import type { Answer, Encoding, EventKind, TurnEnd } from "../dialect.js";
import type { ResponsesTurn } from "./decode.js";
import { EventLog } from "./item-streams.js";
import { describeUsage, type ResponseObject, type ResponseStatus } from "./response-object.js";
import { ResponseOutput } from "./response-output.js";
import type { LifecycleEventType, OutputTextDelta, ResponseEvent } from "./wire-events.js";

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
  readonly endOfStream = "";
  readonly #turn: ResponsesTurn;
  readonly #encoding: Encoding;
  readonly #encoder = new ResponseEventEncoder();
  readonly #log = new EventLog();
  readonly #createdAtMs: number;
  #output: ResponseOutput;
  #state: "waiting" | "queued" | "running" | "ended" = "waiting";
  #continuation: ContinuationFacts | null = null;
  #ignored: readonly string[];
  #started: TurnStarted | null = null;
  #usage: TokenUsage | null = null;
  #response: ResponseObject | null = null;

  constructor(turn: ResponsesTurn, encoding: Encoding) {
    this.#turn = turn;
    this.#encoding = encoding;
    this.id = encoding.newId("resp");
    this.#createdAtMs = encoding.wallClock();
    this.#ignored = turn.ignoredParameters;
    this.#output = this.#createOutput();
  }

  #createOutput(): ResponseOutput {
    const { includeEncryptedReasoning } = this.#turn;
    return new ResponseOutput({ log: this.#log, newId: this.#encoding.newId, includeEncryptedReasoning });
  }

  get body(): ResponseObject {
    return this.#response ?? this.#build(this.#state === "queued" ? "queued" : "in_progress", {});
  }

  setContinuation(continuation: ContinuationFacts | null): void {
    this.#continuation = continuation;
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

  push(event: TurnEvent): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#output.push(event);
    return this.#log.take();
  }

  forget(): void {
    this.#output = this.#createOutput();
  }

  end({ outcome, usage, unmet }: TurnEnd): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#usage = usage;
    this.#ignored = [...this.#ignored, ...unmet];
    // An item never finished, of a turn that was, is one whose end was lost: what it has may not be all.
    this.#output.cutShort();
    switch (outcome.status) {
      case "completed":
      // The model waits for the outputs of functions it called: to the client that is an answer like any other.
      case "parked":
      case "handed_over":
        return this.#finish("response.completed", this.#build("completed", { completed: true }));
      case "incomplete":
        return this.#finish(
          "response.incomplete",
          this.#build("incomplete", { incompleteReason: outcome.reason }),
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
    this.#log.add({ type, sequence_number: this.#log.number(), response });
  }

  #build(status: ResponseStatus, end: End): ResponseObject {
    const { echo, taskClass } = this.#turn;
    const { routePath, wallClock } = this.#encoding;
    const started = this.#started;
    const createdAtMs = this.#createdAtMs;
    // Never before it was created, also where the clock was set back meanwhile.
    const completedAtMs = end.completed === true ? Math.max(wallClock(), createdAtMs) : null;
    return {
      id: this.id,
      object: "response",
      created_at: Math.floor(createdAtMs / 1000),
      completed_at: completedAtMs === null ? null : Math.floor(completedAtMs / 1000),
      status,
      ...echo,
      conversation: null,
      error: end.error ?? null,
      incomplete_details: end.incompleteReason === undefined ? null : { reason: end.incompleteReason },
      model: started?.model ?? echo.model,
      moderation: null,
      output: this.#output.snapshot(),
      prompt: null,
      usage: this.#usage === null ? null : describeUsage(this.#usage),
      native_api: describeNativeApi({
        routePath,
        ...(started !== null && {
          target: started.target,
          threadId: started.threadId,
          turnId: started.turnId,
          queue: started.queue,
          promptForm: started.promptForm,
        }),
        taskClass,
        responseId: this.id,
        continuation: this.#continuation,
        ignoredParameters: this.#ignored,
      }),
    };
  }
}

interface End {
  readonly completed?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly incompleteReason?: string;
}

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

  #encodeDelta(event: OutputTextDelta): string {
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
