import { addItem, finishItem, type ItemPlace, type ItemStream } from "./item-streams.js";
import { type ModelItem, missingText } from "./output-items.js";
import type { ReasoningItem, ReasoningTextPart, SummaryTextPart } from "./wire-items.js";

type PartKind = "summary" | "content";

interface OpenPart {
  readonly kind: PartKind;
  readonly index: number;
  shown: string;
}

/** A reasoning item: parts of its summary, then parts of its text, one open at a time as on OpenAI's own wire. */
export class ReasoningStream implements ItemStream {
  readonly #place: ItemPlace;
  #open: OpenPart | null = null;
  readonly #closed: Record<PartKind, string[]> = { summary: [], content: [] };
  #finished: ReasoningItem | null = null;

  constructor(place: ItemPlace) {
    this.#place = place;
    addItem(place, { type: "reasoning", id: place.id, summary: [] });
  }

  beginSummary(index: number): void {
    this.#openPart("summary", index);
  }

  summaryDelta(index: number, delta: string): void {
    this.#delta("summary", index, delta);
  }

  textDelta(index: number, delta: string): void {
    this.#delta("content", index, delta);
  }

  complete(model: ModelItem): void {
    if (model.kind !== "reasoning") return this.cutShort();
    const { summary, content = [] } = model.item;
    this.#completeParts("summary", summary);
    this.#completeParts("content", content);
    this.#finish(model.item);
  }

  cutShort(): void {
    this.#closePart();
    this.#finish(this.#build());
  }

  snapshot(): ReasoningItem {
    return this.#finished ?? this.#build();
  }

  #delta(kind: PartKind, index: number, delta: string): void {
    const part = this.#openPart(kind, index);
    // A part that was closed is told; what belongs to it comes with the finished item.
    if (part === null) return;
    part.shown += delta;
    this.#addDelta(part, delta);
  }

  #completeParts(kind: PartKind, parts: readonly { readonly text: string }[]): void {
    for (const [index, { text }] of parts.entries()) {
      const part = this.#openPart(kind, index);
      if (part === null) continue;
      const { rest } = missingText(part.shown, text);
      if (rest !== "") this.#addDelta(part, rest);
      part.shown = text;
      this.#closePart();
    }
    if (this.#open?.kind === kind) this.#closePart();
  }

  /** Null when that part is closed already. */
  #openPart(kind: PartKind, index: number): OpenPart | null {
    if (this.#open?.kind === kind && this.#open.index === index) return this.#open;
    if (index < this.#closed[kind].length) return null;
    this.#closePart();
    // An index beyond the next would leave a hole that clients index into.
    const part = { kind, index: this.#closed[kind].length, shown: "" };
    this.#open = part;
    const { log } = this.#place;
    if (kind === "summary") {
      const type = "response.reasoning_summary_part.added";
      log.add({ type, sequence_number: log.number(), ...this.#atSummary(part), part: summaryPart("") });
    } else {
      const type = "response.content_part.added";
      log.add({ type, sequence_number: log.number(), ...this.#atContent(part), part: reasoningPart("") });
    }
    return part;
  }

  #addDelta(part: OpenPart, delta: string): void {
    const { log } = this.#place;
    if (part.kind === "summary") {
      const type = "response.reasoning_summary_text.delta";
      log.add({ type, sequence_number: log.number(), ...this.#atSummary(part), delta });
    } else {
      const type = "response.reasoning_text.delta";
      log.add({ type, sequence_number: log.number(), ...this.#atContent(part), delta });
    }
  }

  #closePart(): void {
    const part = this.#open;
    if (part === null) return;
    this.#open = null;
    this.#closed[part.kind].push(part.shown);
    const { log } = this.#place;
    const text = part.shown;
    if (part.kind === "summary") {
      const at = this.#atSummary(part);
      const done = "response.reasoning_summary_part.done";
      log.add({ type: "response.reasoning_summary_text.done", sequence_number: log.number(), ...at, text });
      log.add({ type: done, sequence_number: log.number(), ...at, part: summaryPart(text) });
    } else {
      const at = this.#atContent(part);
      const done = "response.content_part.done";
      log.add({ type: "response.reasoning_text.done", sequence_number: log.number(), ...at, text });
      log.add({ type: done, sequence_number: log.number(), ...at, part: reasoningPart(text) });
    }
  }

  #atSummary(part: OpenPart): { item_id: string; output_index: number; summary_index: number } {
    const { id, outputIndex } = this.#place;
    return { item_id: id, output_index: outputIndex, summary_index: part.index };
  }

  #atContent(part: OpenPart): { item_id: string; output_index: number; content_index: number } {
    const { id, outputIndex } = this.#place;
    return { item_id: id, output_index: outputIndex, content_index: part.index };
  }

  #build(): ReasoningItem {
    const content = this.#texts("content").map(reasoningPart);
    return {
      type: "reasoning",
      id: this.#place.id,
      summary: this.#texts("summary").map(summaryPart),
      ...(content.length > 0 && { content }),
    };
  }

  #texts(kind: PartKind): readonly string[] {
    const closed = this.#closed[kind];
    return this.#open?.kind === kind ? [...closed, this.#open.shown] : closed;
  }

  #finish(item: ReasoningItem): void {
    this.#finished = item;
    finishItem(this.#place, item);
  }
}

function summaryPart(text: string): SummaryTextPart {
  return { type: "summary_text", text };
}

function reasoningPart(text: string): ReasoningTextPart {
  return { type: "reasoning_text", text };
}
