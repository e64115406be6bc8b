import type { JsonObject, TurnEvent } from "../../runtime/types.js";
import { startedOver } from "../answers/started-over.js";
import {
  type EventLog,
  type ItemPlace,
  type ItemStream,
  MessageStream,
  WebSearchStream,
  WholeItem,
} from "./item-streams.js";
import { idPrefixOf, readModelItem } from "./output-items.js";
import { ReasoningStream } from "./reasoning-stream.js";
import type { OutputItem } from "./wire-items.js";

interface ResponseOutputOptions {
  readonly newId: (prefix: string) => string;
  readonly includeEncryptedReasoning: boolean;
  readonly isStreamed: boolean;
}

/** The items of one response: which are under way, which are finished, and their places in the output. */
export class ResponseOutput {
  readonly #log: EventLog;
  readonly #newId: (prefix: string) => string;
  /** Callers get encrypted reasoning only if they asked for it, as with OpenAI. */
  readonly #includeEncryptedReasoning: boolean;
  /** By id, in order of their output_index. */
  readonly #items = new Map<string, ItemStream>();
  /** The caller has each event as it is made, so that no words can be taken back. */
  readonly #isStreamed: boolean;
  #newest: ItemStream | null = null;
  #nextIndex = 0;

  constructor(log: EventLog, options: ResponseOutputOptions) {
    this.#log = log;
    this.#newId = options.newId;
    this.#includeEncryptedReasoning = options.includeEncryptedReasoning;
    this.#isStreamed = options.isStreamed;
  }

  /** Whether an item is under way: an answer has one after the other. */
  get hasOpenItem(): boolean {
    return this.#newest?.isFinished === false;
  }

  /** @throws CodexNativeApiError `upstream_connection_failed` when the model begins an item again whose words were streamed. */
  push(event: TurnEvent): void {
    switch (event.type) {
      case "text.delta":
        this.#message(event.itemId)?.delta(event.delta);
        break;
      case "item.started":
        this.#begin(event.itemId, event.itemType, event.phase);
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
        // These concern the response as a whole.
        break;
      default:
        event satisfies never;
    }
  }

  /** The response ended, and with it every item under way. */
  cutShort(): void {
    for (const item of this.#items.values()) if (!item.isFinished) item.cutShort();
  }

  snapshot(): readonly OutputItem[] {
    return [...this.#items.values()].map((item) => item.snapshot());
  }

  #message(id: string): MessageStream | null {
    const open = this.#begin(id, "message");
    return open instanceof MessageStream ? open : null;
  }

  #reasoning(id: string): ReasoningStream | null {
    const open = this.#begin(id, "reasoning");
    return open instanceof ReasoningStream ? open : null;
  }

  /** The item under way; null for one that is finished, and for one that is sent only as a whole. */
  #begin(id: string, type: unknown, phase?: unknown): ItemStream | null {
    const known = this.#items.get(id);
    if (known !== undefined) return known.isFinished ? null : known;
    const stream = itemStreams.get(type)?.(this.#place(id), phase) ?? null;
    if (stream !== null) this.#add(id, stream);
    return stream;
  }

  /**
   * The item is made again. One without words ends in its place where its beginning was streamed: reasoning without a text, a search
   * that failed. Otherwise the response is as if it had never begun, and the next takes its place.
   */
  #discard(id: string): void {
    const item = this.#items.get(id);
    if (item === undefined || item.isFinished) return;
    const isLast = item.at.output_index === this.#nextIndex - 1;
    if (this.#isStreamed || !isLast) {
      if (this.#isStreamed && item.hasWords) throw startedOver();
      return item.cutShort();
    }
    this.#items.delete(id);
    this.#newest = null;
    this.#log.drop(item.at);
    this.#nextIndex -= 1;
  }

  #complete(raw: JsonObject): void {
    const id = typeof raw.id === "string" ? raw.id : this.#idFor(raw.type);
    if (this.#items.get(id)?.isFinished === true) return;
    const model = readModelItem(raw, id, this.#includeEncryptedReasoning);
    const stream = this.#begin(id, raw.type, raw.phase);
    if (stream === null) this.#add(id, new WholeItem(this.#place(id), model));
    else stream.complete(model);
  }

  /** An item that came without an id is the oldest open one of its kind, or was never announced. */
  #idFor(type: unknown): string {
    for (const [id, item] of this.#items) {
      if (!item.isFinished && item.snapshot().type === type) return id;
    }
    return this.#newId(idPrefixOf(type));
  }

  #add(id: string, item: ItemStream): void {
    this.#items.set(id, item);
    this.#newest = item;
  }

  #place(id: string): ItemPlace {
    return { log: this.#log, id, outputIndex: this.#nextIndex++ };
  }
}

/** Kinds of item that are streamed step by step. A function call's name is known only when it is complete. */
const itemStreams: ReadonlyMap<unknown, (place: ItemPlace, phase: unknown) => ItemStream> = new Map(
  Object.entries({
    message: (place: ItemPlace, phase: unknown) => new MessageStream(place, phase),
    reasoning: (place: ItemPlace) => new ReasoningStream(place),
    web_search_call: (place: ItemPlace) => new WebSearchStream(place),
  }),
);
