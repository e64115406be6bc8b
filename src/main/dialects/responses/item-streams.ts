/** Output items on the wire, one class for each kind that is streamed step by step. Reasoning has a file of its own. */
import { type ModelItem, missingText } from "./output-items.js";
import type { AtItem, AtPart, ResponseEvent, UnnumberedEvent } from "./wire-events.js";
import type {
  MessageItem,
  MessagePart,
  OutputItem,
  OutputTextPart,
  WebSearchCallItem,
} from "./wire-items.js";

const noLogprobs: readonly never[] = [];

/** Events made by one step of a response, numbered without gaps over the whole response. */
export class EventLog {
  readonly #joinsDeltas: boolean;
  #nextNumber = 0;
  #events: ResponseEvent[] = [];

  /** `joinsDeltas`: of text deltas that lie here together one is made, since they may lie here for long. Default: false. */
  constructor({ joinsDeltas = false }: { readonly joinsDeltas?: boolean } = {}) {
    this.#joinsDeltas = joinsDeltas;
  }

  add(event: UnnumberedEvent): void {
    const head = { type: event.type, sequence_number: this.#nextNumber++ };
    this.#events.push({ ...head, ...event });
  }

  /** Takes an item's events back, of those that were not taken: the numbers after them move up. */
  drop({ item_id: id, output_index: outputIndex }: AtItem): void {
    const kept = this.#events.filter((event) => {
      if ("item_id" in event) return event.item_id !== id;
      return !("output_index" in event) || event.output_index !== outputIndex;
    });
    const first = this.#nextNumber - this.#events.length;
    this.#events = kept.map((event, index) => ({ ...event, sequence_number: first + index }));
    this.#nextNumber = first + kept.length;
  }

  /** Without a copy of its fields: this runs thousands of times a second. */
  addTextDelta({ item_id, output_index }: AtItem, contentIndex: number, delta: string): void {
    const last = this.#joinsDeltas ? this.#events.at(-1) : undefined;
    if (last?.type === "response.output_text.delta" && last.output_index === output_index) {
      this.#events[this.#events.length - 1] = { ...last, delta: last.delta + delta };
      return;
    }
    this.#events.push({
      type: "response.output_text.delta",
      sequence_number: this.#nextNumber++,
      item_id,
      output_index,
      content_index: contentIndex,
      delta,
      logprobs: noLogprobs,
    });
  }

  /** The events since the last call. */
  take(): readonly ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

export interface ItemPlace {
  readonly log: EventLog;
  readonly id: string;
  readonly outputIndex: number;
}

/** One output item on the wire, from `output_item.added` to `output_item.done`. */
export abstract class ItemStream {
  protected readonly log: EventLog;
  protected readonly id: string;
  /** Where the item is, as events name it. */
  readonly at: AtItem;
  #finished: OutputItem | null = null;

  constructor({ log, id, outputIndex }: ItemPlace, added: OutputItem) {
    this.log = log;
    this.id = id;
    this.at = { item_id: id, output_index: outputIndex };
    log.add({ type: "response.output_item.added", output_index: outputIndex, item: added });
  }

  /** The model's item is complete: it is the truth, whatever the deltas were. */
  abstract complete(model: ModelItem): void;

  /** The response ended before the item did. */
  abstract cutShort(): void;

  /** The item as far as it was shown. */
  protected abstract build(): OutputItem;

  /** Whether it has had words of the model's. */
  abstract get hasWords(): boolean;

  get isFinished(): boolean {
    return this.#finished !== null;
  }

  /** The item as a response would hold it now. */
  snapshot(): OutputItem {
    return this.#finished ?? this.build();
  }

  protected finish(item: OutputItem): void {
    this.#finished = item;
    this.log.add({ type: "response.output_item.done", output_index: this.at.output_index, item });
  }
}

/** A message. Its deltas name no part, so they all go to the first; further parts come whole with the finished item. */
export class MessageStream extends ItemStream {
  #shown = "";
  #partOpen = false;

  readonly #marks: { readonly phase?: string };

  /** @param phase as the model marked the message when it began it. */
  constructor(place: ItemPlace, phase?: unknown) {
    const marks = typeof phase === "string" ? { phase } : {};
    super(place, { ...messageOf(place.id), ...marks, status: "in_progress", content: [] });
    this.#marks = marks;
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
    this.finish(model.item);
  }

  cutShort(): void {
    if (this.#partOpen) this.#closeText(0, textPart(this.#shown));
    this.finish(this.build());
  }

  get hasWords(): boolean {
    return this.#shown !== "";
  }

  protected build(): MessageItem {
    const content = this.#partOpen ? [textPart(this.#shown)] : [];
    return { ...messageOf(this.id), ...this.#marks, status: "incomplete", content };
  }

  /** Returns the shown text that belongs to the next part. */
  #completeText(index: number, part: OutputTextPart, shown: string): string {
    if (index > 0 || !this.#partOpen) this.#openText(index);
    const { rest, surplus } = missingText(shown, part.text);
    if (rest !== "") this.#addTextDelta(index, rest);
    for (const [annotationIndex, annotation] of part.annotations.entries()) {
      this.log.add({
        type: "response.output_text.annotation.added",
        ...this.#at(index),
        annotation_index: annotationIndex,
        annotation,
      });
    }
    this.#closeText(index, part);
    return surplus;
  }

  #completeRefusal(index: number, refusal: string): void {
    const { log } = this;
    this.#addPart("response.content_part.added", index, { type: "refusal", refusal: "" });
    const at = this.#at(index);
    if (refusal !== "") log.add({ type: "response.refusal.delta", ...at, delta: refusal });
    log.add({ type: "response.refusal.done", ...at, refusal });
    this.#addPart("response.content_part.done", index, { type: "refusal", refusal });
  }

  #openText(index: number): void {
    this.#partOpen = true;
    this.#addPart("response.content_part.added", index, textPart(""));
  }

  #addTextDelta(index: number, delta: string): void {
    this.log.addTextDelta(this.at, index, delta);
  }

  #closeText(index: number, part: OutputTextPart): void {
    const { log } = this;
    const { text } = part;
    log.add({ type: "response.output_text.done", ...this.#at(index), text, logprobs: noLogprobs });
    this.#addPart("response.content_part.done", index, part);
  }

  #addPart(type: `response.content_part.${"added" | "done"}`, index: number, part: MessagePart): void {
    this.log.add({ type, ...this.#at(index), part });
  }

  #at(index: number): AtPart {
    return { ...this.at, content_index: index };
  }
}

function messageOf(id: string) {
  return { type: "message", id, role: "assistant" } as const;
}

function textPart(text: string): OutputTextPart {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

/** A web search: its steps are sent as they happen, and its query when it is done. */
export class WebSearchStream extends ItemStream {
  constructor(place: ItemPlace) {
    super(place, searchOf(place.id, "in_progress"));
    this.#tell("in_progress");
    this.#tell("searching");
  }

  complete(model: ModelItem): void {
    if (model.kind !== "web_search_call") return this.cutShort();
    if (model.item.status === "completed") this.#tell("completed");
    this.finish(model.item);
  }

  cutShort(): void {
    this.finish(this.build());
  }

  get hasWords(): boolean {
    return false;
  }

  protected build(): WebSearchCallItem {
    return searchOf(this.id, "failed");
  }

  #tell(step: "in_progress" | "searching" | "completed"): void {
    this.log.add({ type: `response.web_search_call.${step}`, ...this.at });
  }
}

function searchOf(id: string, status: WebSearchCallItem["status"]): WebSearchCallItem {
  return { type: "web_search_call", id, status, action: { type: "search" } };
}

/** An item that is sent at once: Codex gives no deltas of a call's arguments, and none of items of other kinds. */
export class WholeItem extends ItemStream {
  readonly #item: OutputItem;

  constructor(place: ItemPlace, model: ModelItem) {
    super(place, begunOf(model));
    this.#item = model.item;
    this.complete(model);
  }

  complete({ kind, item }: ModelItem): void {
    const { log, at } = this;
    if (kind === "function_call") {
      const { name, arguments: whole } = item;
      if (whole !== "") log.add({ type: "response.function_call_arguments.delta", ...at, delta: whole });
      log.add({ type: "response.function_call_arguments.done", ...at, name, arguments: whole });
    } else if (kind === "custom_tool_call") {
      const { input } = item;
      if (input !== "") log.add({ type: "response.custom_tool_call_input.delta", ...at, delta: input });
      log.add({ type: "response.custom_tool_call_input.done", ...at, input });
    }
    this.finish(item);
  }

  /** It was finished as it began. */
  cutShort(): void {}

  get hasWords(): boolean {
    return true;
  }

  protected build(): OutputItem {
    return this.#item;
  }
}

/** What the item is before its input has come. */
function begunOf({ kind, item }: ModelItem): OutputItem {
  if (kind === "function_call") return { ...item, arguments: "", status: "in_progress" };
  return kind === "custom_tool_call" ? { ...item, input: "" } : item;
}
