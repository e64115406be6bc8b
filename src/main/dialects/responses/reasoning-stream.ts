import { type ItemPlace, ItemStream } from "./item-streams.js";
import { type ModelItem, missingText } from "./output-items.js";
import type { AtPart, AtSummary } from "./wire-events.js";
import type { ReasoningItem, ReasoningTextPart, SummaryTextPart } from "./wire-items.js";

type PartKind = "summary" | "content";

interface OpenPart {
  readonly kind: PartKind;
  readonly index: number;
  shown: string;
}

/** A reasoning item: parts of its summary, then parts of its text, one open at a time as on OpenAI's own wire. */
export class ReasoningStream extends ItemStream {
  #open: OpenPart | null = null;
  readonly #closed: Record<PartKind, string[]> = { summary: [], content: [] };

  constructor(place: ItemPlace) {
    super(place, { type: "reasoning", id: place.id, summary: [] });
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
    this.finish(model.item);
  }

  cutShort(): void {
    this.#closePart();
    this.finish(this.build());
  }

  #delta(kind: PartKind, index: number, delta: string): void {
    const part = this.#openPart(kind, index);
    // A closed part takes no more deltas; the rest of it comes with the finished item.
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
    const { log } = this;
    if (kind === "summary") {
      log.add({
        type: "response.reasoning_summary_part.added",
        ...this.#atSummary(part),
        part: summaryPart(""),
      });
    } else {
      log.add({ type: "response.content_part.added", ...this.#atContent(part), part: reasoningPart("") });
    }
    return part;
  }

  #addDelta(part: OpenPart, delta: string): void {
    const { log } = this;
    if (part.kind === "summary") {
      log.add({ type: "response.reasoning_summary_text.delta", ...this.#atSummary(part), delta });
    } else {
      log.add({ type: "response.reasoning_text.delta", ...this.#atContent(part), delta });
    }
  }

  #closePart(): void {
    const part = this.#open;
    if (part === null) return;
    this.#open = null;
    this.#closed[part.kind].push(part.shown);
    const { log } = this;
    const text = part.shown;
    if (part.kind === "summary") {
      const at = this.#atSummary(part);
      log.add({ type: "response.reasoning_summary_text.done", ...at, text });
      log.add({ type: "response.reasoning_summary_part.done", ...at, part: summaryPart(text) });
    } else {
      const at = this.#atContent(part);
      log.add({ type: "response.reasoning_text.done", ...at, text });
      log.add({ type: "response.content_part.done", ...at, part: reasoningPart(text) });
    }
  }

  #atSummary({ index }: OpenPart): AtSummary {
    return { ...this.at, summary_index: index };
  }

  #atContent({ index }: OpenPart): AtPart {
    return { ...this.at, content_index: index };
  }

  get hasWords(): boolean {
    return [...this.#texts("summary"), ...this.#texts("content")].some((text) => text !== "");
  }

  protected build(): ReasoningItem {
    const content = this.#texts("content").map(reasoningPart);
    return {
      type: "reasoning",
      id: this.id,
      summary: this.#texts("summary").map(summaryPart),
      ...(content.length > 0 && { content }),
    };
  }

  #texts(kind: PartKind): readonly string[] {
    const closed = this.#closed[kind];
    return this.#open?.kind === kind ? [...closed, this.#open.shown] : closed;
  }
}

function summaryPart(text: string): SummaryTextPart {
  return { type: "summary_text", text };
}

function reasoningPart(text: string): ReasoningTextPart {
  return { type: "reasoning_text", text };
}
