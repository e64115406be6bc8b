/** What a message says and thinks, each as one text: chat completions know no items. */
import { missingText } from "../responses/output-items.js";
import type { ReasoningItem } from "../responses/wire-items.js";

/** Between the texts of two items, since a message of chat completions has one content. */
const separator = "\n\n";

/** One text made of several items' texts, in the order in which they began. */
export class JoinedText {
  readonly #pieces = new Map<string, string>();

  get text(): string {
    return [...this.#pieces.values()].join(separator);
  }

  /** Returns what the whole grew by. */
  append(id: string, addition: string): string {
    if (addition === "") return "";
    const known = this.#pieces.get(id);
    const head = known === undefined && this.#pieces.size > 0 ? separator : "";
    this.#pieces.set(id, (known ?? "") + addition);
    return head + addition;
  }

  /** The text of one item; empty if there is none. */
  of(id: string): string {
    return this.#pieces.get(id) ?? "";
  }

  replace(id: string, text: string): void {
    if (text === "") this.#pieces.delete(id);
    else this.#pieces.set(id, text);
  }

  drop(id: string): void {
    this.#pieces.delete(id);
  }

  /** Where in the whole the text of an item begins. */
  startOf(id: string): number {
    let start = 0;
    for (const [other, text] of this.#pieces) {
      if (other === id) break;
      start += text.length + separator.length;
    }
    return start;
  }
}

/** What is told of an item's reasoning: its summary, or its text where a model gives that and no summary. */
type Source = "summary" | "text";

const partSeparator = "\n\n";

interface Progress {
  readonly source: Source;
  partIndex: number;
}

/** `reasoning_content`: what the model tells of its reasoning. */
export class ReasoningText {
  readonly #whole = new JoinedText();
  readonly #items = new Map<string, Progress>();

  get text(): string {
    return this.#whole.text;
  }

  /** Returns what the whole grew by. */
  delta(id: string, source: Source, partIndex: number, addition: string): string {
    if (addition === "") return "";
    const progress = this.#items.get(id) ?? { source, partIndex };
    this.#items.set(id, progress);
    if (progress.source !== source) return "";
    const head = progress.partIndex === partIndex ? "" : partSeparator;
    progress.partIndex = partIndex;
    return this.#whole.append(id, head + addition);
  }

  /** The finished item is the truth; returns what the deltas missed. */
  complete(item: ReasoningItem): string {
    const summary = joinParts(item.summary);
    const { source } = this.#items.get(item.id) ?? { source: summary === "" ? "text" : "summary" };
    const whole = source === "summary" ? summary : joinParts(item.content ?? []);
    return this.#whole.append(item.id, missingText(this.#whole.of(item.id), whole).rest);
  }
}

function joinParts(parts: readonly { readonly text: string }[]): string {
  return parts
    .map(({ text }) => text)
    .filter((text) => text !== "")
    .join(partSeparator);
}
