import type { CodexNativeApiError } from "../../errors.js";
import type {
  IsolatedTurnResult,
  JsonObject,
  TokenUsage,
  TurnEvent,
  TurnStarted,
} from "../../runtime/types.js";
import { tellFunctionCall, WebSearchStream } from "./call-streams.js";
import { EventLog } from "./event-log.js";
import { addItem, finishItem, type ItemPlace, type ItemStream } from "./item-stream.js";
import { MessageStream } from "./message-stream.js";
import { describeNativeApi } from "./native-api.js";
import { idPrefixOf, readModelItem } from "./output-items.js";
import { ReasoningStream } from "./reasoning-stream.js";
import type { ResponsesTurn } from "./request-to-turn.js";
import { buildResponseObject, type ResponseObject, type ResponseStatus } from "./response-object.js";
import type { LifecycleEventType, ResponseEvent } from "./wire-events.js";
import type { OutputItem } from "./wire-items.js";

export interface ResponseEventStreamOptions {
  readonly turn: ResponsesTurn;
  readonly routePath: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** A new id with the given prefix, never used before. */
  readonly newId: (prefix: string) => string;
}

type Outcome = IsolatedTurnResult["outcome"];

/**
 * One response: takes a turn's events and gives OpenAI's, in OpenAI's order, with exactly one terminal event. A response that
 * is not streamed goes the same way, so that both forms always agree; its events are dropped and `response` is the answer.
 */
export class ResponseEventStream {
  readonly id: string;
  readonly #options: ResponseEventStreamOptions;
  readonly #log = new EventLog();
  readonly #createdAtMs: number;
  /** Items still under way, by id. */
  readonly #open = new Map<string, ItemStream>();
  /** Items of the answer, in order of their output_index; what the model took back is not among them. */
  readonly #output = new Map<string, () => OutputItem>();
  /** Items told to their end. */
  readonly #toldIds = new Set<string>();
  #nextOutputIndex = 0;
  #state: "waiting" | "running" | "ended" = "waiting";
  #started: TurnStarted | null = null;
  #usage: TokenUsage | null = null;
  #response: ResponseObject | null = null;

  constructor(options: ResponseEventStreamOptions) {
    this.#options = options;
    this.id = options.newId("resp");
    this.#createdAtMs = options.wallClock();
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  /** The response as it stands; final once ended. */
  get response(): ResponseObject {
    return this.#response ?? this.#build("in_progress", {});
  }

  /** A turn that is run again elsewhere starts twice; the client sees one beginning. */
  start(started: TurnStarted): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#started = started;
    if (this.#state === "waiting") {
      this.#state = "running";
      this.#tell("response.created", this.response);
      this.#tell("response.in_progress", this.response);
    }
    return this.#log.take();
  }

  push(event: TurnEvent): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    switch (event.type) {
      case "text.delta":
        this.#message(event.itemId)?.delta(event.delta);
        break;
      case "item.started":
        this.#begin(event.itemId, event.itemType);
        break;
      case "reasoning_summary.part":
        this.#reasoning(event.itemId)?.beginSummary(event.summaryIndex);
        break;
      case "reasoning_summary.delta":
        this.#reasoning(event.itemId)?.summaryDelta(event.summaryIndex, event.delta);
        break;
      case "reasoning_text.delta":
        this.#reasoning(event.itemId)?.textDelta(event.contentIndex, event.delta);
        break;
      case "item.completed":
        this.#complete(event.item);
        break;
      case "item.discarded":
        this.#discard(event.itemId);
        break;
      case "model_call.completed":
      case "turn.started":
      case "turn.parked":
      case "turn.ended":
        // Told by `start` and `end`, the usage of all calls with them.
        break;
      default:
        event satisfies never;
    }
    return this.#log.take();
  }

  /** `usage` is the sum over the turn's model calls; null where Codex reported none. */
  end(outcome: Outcome, usage: TokenUsage | null): readonly ResponseEvent[] {
    if (this.#state === "ended") return [];
    this.#usage = usage;
    // An item never finished, of a turn that was, is one whose end was lost: what it has may not be all.
    for (const item of this.#open.values()) item.cutShort();
    this.#open.clear();
    switch (outcome.status) {
      case "completed":
      // The model waits for the outputs of functions it called: to the client that is an answer like any other.
      case "parked":
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
    if (this.#state === "ended") return [];
    const fault = { code: error.code, message: error.message };
    return this.#finish("response.failed", this.#build("failed", { error: fault }));
  }

  #message(id: string): MessageStream | null {
    const open = this.#open.get(id) ?? this.#begin(id, "message");
    return open instanceof MessageStream ? open : null;
  }

  #reasoning(id: string): ReasoningStream | null {
    const open = this.#open.get(id) ?? this.#begin(id, "reasoning");
    return open instanceof ReasoningStream ? open : null;
  }

  /** Null for an item told already, and for one that is told only as a whole. */
  #begin(id: string, type: unknown): ItemStream | null {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    if (this.#toldIds.has(id)) return null;
    const create = itemStreams.get(type);
    if (create === undefined) return null;
    const stream = create(this.#place(id));
    this.#open.set(id, stream);
    this.#output.set(id, () => stream.snapshot());
    return stream;
  }

  /** What was shown cannot be taken back: the item ends as incomplete, and the response as a whole is without it. */
  #discard(id: string): void {
    const stream = this.#open.get(id);
    if (stream === undefined) return;
    stream.cutShort();
    this.#open.delete(id);
    this.#output.delete(id);
    this.#toldIds.add(id);
  }

  #complete(raw: JsonObject): void {
    const id = typeof raw.id === "string" ? raw.id : this.#idFor(raw.type);
    if (this.#toldIds.has(id)) return;
    const { includeEncryptedReasoning } = this.#options.turn;
    const model = readModelItem(raw, { id, includeEncryptedReasoning });
    const stream = this.#begin(id, raw.type);
    if (stream === null) this.#tellWhole(id, model);
    else stream.complete(model);
    this.#open.delete(id);
    this.#toldIds.add(id);
  }

  #tellWhole(id: string, model: ReturnType<typeof readModelItem>): void {
    const place = this.#place(id);
    this.#output.set(id, () => model.item);
    if (model.kind === "function_call") return tellFunctionCall(place, model.item);
    addItem(place, model.item);
    finishItem(place, model.item);
  }

  /** An item that came without an id is the oldest open one of its kind, or was never announced. */
  #idFor(type: unknown): string {
    for (const [id, stream] of this.#open) {
      if (stream.snapshot().type === type) return id;
    }
    return this.#options.newId(idPrefixOf(type));
  }

  #place(id: string): ItemPlace {
    return { log: this.#log, id, outputIndex: this.#nextOutputIndex++ };
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
    const { turn, routePath, wallClock } = this.#options;
    const started = this.#started;
    return buildResponseObject(turn.echo, {
      id: this.id,
      createdAtSeconds: Math.floor(this.#createdAtMs / 1000),
      completedAtSeconds: end.completed === true ? Math.floor(wallClock() / 1000) : null,
      status,
      model: started?.model ?? turn.echo.model ?? "",
      output: Array.from(this.#output.values(), (snapshot) => snapshot()),
      usage: this.#usage,
      error: end.error ?? null,
      incompleteReason: end.incompleteReason ?? null,
      nativeApi: describeNativeApi({
        routePath,
        ...(started !== null && {
          target: started.target,
          threadId: started.threadId,
          turnId: started.turnId,
        }),
        taskClass: turn.echo.taskClass,
        responseId: this.id,
        ignoredParameters: turn.ignoredParameters,
      }),
    });
  }
}

interface End {
  readonly completed?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly incompleteReason?: string;
}

const cancelled = { code: "turn_cancelled", message: "The turn was cancelled." } as const;

/** Kinds of item that are told step by step. A function call's name is known only when it is complete. */
const itemStreams: ReadonlyMap<unknown, (place: ItemPlace) => ItemStream> = new Map([
  ["message", (place: ItemPlace): ItemStream => new MessageStream(place)],
  ["reasoning", (place: ItemPlace): ItemStream => new ReasoningStream(place)],
  ["web_search_call", (place: ItemPlace): ItemStream => new WebSearchStream(place)],
]);
