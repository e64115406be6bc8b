import type { JsonObject, TurnEvent } from "../../runtime/types.js";
import {
  addItem,
  type EventLog,
  finishItem,
  type ItemPlace,
  type ItemStream,
  MessageStream,
  tellFunctionCall,
  WebSearchStream,
} from "./item-streams.js";
import { idPrefixOf, type ModelItem, readModelItem } from "./output-items.js";
import { ReasoningStream } from "./reasoning-stream.js";
import type { OutputItem } from "./wire-items.js";

export interface ResponseOutputOptions {
  readonly log: EventLog;
  readonly newId: (prefix: string) => string;
  readonly includeEncryptedReasoning: boolean;
}

/** The items of one response: which are under way, which are told, and where each stands in the output. */
export class ResponseOutput {
  readonly #options: ResponseOutputOptions;
  /** Items still under way, by id. */
  readonly #open = new Map<string, ItemStream>();
  /** Items of the answer, in order of their output_index; what the model took back is not among them. */
  readonly #items = new Map<string, () => OutputItem>();
  /** Items told to their end. */
  readonly #toldIds = new Set<string>();
  #nextIndex = 0;

  constructor(options: ResponseOutputOptions) {
    this.#options = options;
  }

  push(event: TurnEvent): void {
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
        // These concern the response as a whole.
        break;
      default:
        event satisfies never;
    }
  }

  /** The response ended: no item is under way any more. */
  cutShort(): void {
    for (const item of this.#open.values()) item.cutShort();
    this.#open.clear();
  }

  snapshot(): readonly OutputItem[] {
    return Array.from(this.#items.values(), (item) => item());
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
    this.#items.set(id, () => stream.snapshot());
    return stream;
  }

  /** What was shown cannot be taken back: the item ends as incomplete, and the response as a whole is without it. */
  #discard(id: string): void {
    const stream = this.#open.get(id);
    if (stream === undefined) return;
    stream.cutShort();
    this.#open.delete(id);
    this.#items.delete(id);
    this.#toldIds.add(id);
  }

  #complete(raw: JsonObject): void {
    const id = typeof raw.id === "string" ? raw.id : this.#idFor(raw.type);
    if (this.#toldIds.has(id)) return;
    const { includeEncryptedReasoning } = this.#options;
    const model = readModelItem(raw, { id, includeEncryptedReasoning });
    const stream = this.#begin(id, raw.type);
    if (stream === null) this.#tellWhole(id, model);
    else stream.complete(model);
    this.#open.delete(id);
    this.#toldIds.add(id);
  }

  #tellWhole(id: string, model: ModelItem): void {
    const place = this.#place(id);
    this.#items.set(id, () => model.item);
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
    return { log: this.#options.log, id, outputIndex: this.#nextIndex++ };
  }
}

/** Kinds of item that are told step by step. A function call's name is known only when it is complete. */
const itemStreams: ReadonlyMap<unknown, (place: ItemPlace) => ItemStream> = new Map([
  ["message", (place: ItemPlace): ItemStream => new MessageStream(place)],
  ["reasoning", (place: ItemPlace): ItemStream => new ReasoningStream(place)],
  ["web_search_call", (place: ItemPlace): ItemStream => new WebSearchStream(place)],
]);
