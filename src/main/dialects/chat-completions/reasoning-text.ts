import { missingText } from "../answers/missing-text.js";
import type { ReasoningItem } from "../responses/wire-items.js";
import { JoinedText } from "./joined-text.js";

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
