/** Output items on the wire, one class for each kind that is told step by step. Reasoning has a file of its own. */
import { type ModelItem, missingText } from "./output-items.js";
import type { ResponseEvent } from "./wire-events.js";
import type {
  FunctionCallItem,
  ItemStatus,
  MessageItem,
  MessagePart,
  OutputItem,
  OutputTextPart,
  WebSearchCallItem,
} from "./wire-items.js";

/** Events made by one step of a response, numbered without gaps over the whole response. */
export class EventLog {
  #nextNumber = 0;
  #events: ResponseEvent[] = [];

  /** The number for the event that is added next. */
  number(): number {
    return this.#nextNumber++;
  }

  add(event: ResponseEvent): void {
    this.#events.push(event);
  }

  /** The events since the last call. */
  take(): readonly ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** One output item on the wire, from `output_item.added` to `output_item.done`. */
export interface ItemStream {
  /** The model's item is complete: it is the truth, whatever the deltas were. */
  complete(item: ModelItem): void;
  /** The response ended before the item did. */
  cutShort(): void;
  /** The item as a response would hold it now. */
  snapshot(): OutputItem;
}

export interface ItemPlace {
  readonly log: EventLog;
  readonly id: string;
  readonly outputIndex: number;
}

export function addItem({ log, outputIndex }: ItemPlace, item: OutputItem): void {
  const type = "response.output_item.added";
  log.add({ type, sequence_number: log.number(), output_index: outputIndex, item });
}

export function finishItem({ log, outputIndex }: ItemPlace, item: OutputItem): void {
  const type = "response.output_item.done";
  log.add({ type, sequence_number: log.number(), output_index: outputIndex, item });
}

const noLogprobs: readonly never[] = [];

/** A message. Its deltas name no part, so they all go to the first; further parts come whole with the finished item. */
export class MessageStream implements ItemStream {
  readonly #place: ItemPlace;
  #shown = "";
  #partOpen = false;
  #finished: MessageItem | null = null;

  constructor(place: ItemPlace) {
    this.#place = place;
    addItem(place, this.#build("in_progress", []));
  }

  delta(delta: string): void {
    if (!this.#partOpen) this.#openText(0);
    this.#shown += delta;
    this.#addTextDelta(0, delta);
  }

  complete(model: ModelItem): void {
    if (model.kind !== "message") return this.cutShort();
    let shown = this.#shown;
    for (const [index, part] of model.item.content.entries()) {
      if (part.type === "output_text") {
        shown = this.#completeText(index, part, shown);
      } else if (index === 0 && this.#partOpen) {
        // Deltas went to a text part that the finished item does not have.
        this.#closeText(0, textPart(this.#shown));
        shown = "";
      } else {
        this.#completeRefusal(index, part.refusal);
      }
    }
    if (model.item.content.length === 0 && this.#partOpen) this.#closeText(0, textPart(this.#shown));
    this.#finish(model.item);
  }

  cutShort(): void {
    if (this.#partOpen) this.#closeText(0, textPart(this.#shown));
    this.#finish(this.#build("incomplete", this.#partOpen ? [textPart(this.#shown)] : []));
  }

  snapshot(): MessageItem {
    return this.#finished ?? this.#build("incomplete", this.#partOpen ? [textPart(this.#shown)] : []);
  }

  /** Returns the shown text that belongs to the next part. */
  #completeText(index: number, part: OutputTextPart, shown: string): string {
    if (index > 0 || !this.#partOpen) this.#openText(index);
    const { rest, surplus } = missingText(shown, part.text);
    if (rest !== "") this.#addTextDelta(index, rest);
    const { log, id, outputIndex } = this.#place;
    for (const [annotationIndex, annotation] of part.annotations.entries()) {
      log.add({
        type: "response.output_text.annotation.added",
        sequence_number: log.number(),
        item_id: id,
        output_index: outputIndex,
        content_index: index,
        annotation_index: annotationIndex,
        annotation,
      });
    }
    this.#closeText(index, part);
    return surplus;
  }

  #completeRefusal(index: number, refusal: string): void {
    const { log } = this.#place;
    this.#addPart("response.content_part.added", index, { type: "refusal", refusal: "" });
    const at = this.#at(index);
    if (refusal !== "") {
      log.add({ type: "response.refusal.delta", sequence_number: log.number(), ...at, delta: refusal });
    }
    log.add({ type: "response.refusal.done", sequence_number: log.number(), ...at, refusal });
    this.#addPart("response.content_part.done", index, { type: "refusal", refusal });
  }

  #openText(index: number): void {
    this.#partOpen = true;
    this.#addPart("response.content_part.added", index, textPart(""));
  }

  #addTextDelta(index: number, delta: string): void {
    const { log, id, outputIndex } = this.#place;
    // Spelled out: this runs thousands of times a second.
    log.add({
      type: "response.output_text.delta",
      sequence_number: log.number(),
      item_id: id,
      output_index: outputIndex,
      content_index: index,
      delta,
      logprobs: noLogprobs,
    });
  }

  #closeText(index: number, part: OutputTextPart): void {
    const { log } = this.#place;
    log.add({
      type: "response.output_text.done",
      sequence_number: log.number(),
      ...this.#at(index),
      text: part.text,
      logprobs: noLogprobs,
    });
    this.#addPart("response.content_part.done", index, part);
  }

  #addPart(
    type: "response.content_part.added" | "response.content_part.done",
    index: number,
    part: MessagePart,
  ): void {
    const { log } = this.#place;
    log.add({ type, sequence_number: log.number(), ...this.#at(index), part });
  }

  #at(index: number): { item_id: string; output_index: number; content_index: number } {
    return { item_id: this.#place.id, output_index: this.#place.outputIndex, content_index: index };
  }

  #build(status: ItemStatus, content: readonly MessagePart[]): MessageItem {
    return { type: "message", id: this.#place.id, role: "assistant", status, content };
  }

  #finish(item: MessageItem): void {
    this.#finished = item;
    finishItem(this.#place, item);
  }
}

function textPart(text: string): OutputTextPart {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

/** A web search: its steps are told as they happen, and what was searched for when it is done. */
export class WebSearchStream implements ItemStream {
  readonly #place: ItemPlace;
  #finished: OutputItem | null = null;

  constructor(place: ItemPlace) {
    this.#place = place;
    addItem(place, this.#build("in_progress"));
    this.#tell("response.web_search_call.in_progress");
    this.#tell("response.web_search_call.searching");
  }

  complete(model: ModelItem): void {
    if (model.kind !== "web_search_call") return this.cutShort();
    if (model.item.status === "completed") this.#tell("response.web_search_call.completed");
    this.#finish(model.item);
  }

  cutShort(): void {
    this.#finish(this.#build("failed"));
  }

  snapshot(): OutputItem {
    return this.#finished ?? this.#build("failed");
  }

  #tell(
    type:
      | "response.web_search_call.in_progress"
      | "response.web_search_call.searching"
      | "response.web_search_call.completed",
  ): void {
    const { log, id, outputIndex } = this.#place;
    log.add({ type, sequence_number: log.number(), item_id: id, output_index: outputIndex });
  }

  #build(status: WebSearchCallItem["status"]): WebSearchCallItem {
    return { type: "web_search_call", id: this.#place.id, status, action: { type: "search" } };
  }

  #finish(item: OutputItem): void {
    this.#finished = item;
    finishItem(this.#place, item);
  }
}

/** A function call, told at once: Codex gives no deltas of its arguments. */
export function tellFunctionCall(place: ItemPlace, item: FunctionCallItem): void {
  const { log, id, outputIndex } = place;
  addItem(place, { ...item, arguments: "", status: "in_progress" });
  const at = { item_id: id, output_index: outputIndex };
  if (item.arguments !== "") {
    const type = "response.function_call_arguments.delta";
    log.add({ type, sequence_number: log.number(), ...at, delta: item.arguments });
  }
  const type = "response.function_call_arguments.done";
  const { name, arguments: whole } = item;
  log.add({ type, sequence_number: log.number(), ...at, name, arguments: whole });
  finishItem(place, item);
}
