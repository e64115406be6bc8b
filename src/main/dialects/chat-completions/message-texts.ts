/** A message's content and its reasoning, each as one text: chat completions have no items. */
import { missingText } from "../responses/output-items.js";
import type { ReasoningItem } from "../responses/wire-items.js";
import { StoppedText } from "./stop-sequences.js";

/** Between the texts of two items, since a message of chat completions has one content. */
const separator = "\n\n";

/** One text made of several items' texts, in the order in which they began. */
class JoinedText {
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

/** `content`: the answer, up to the first stop sequence. */
export class AnswerText {
  readonly #joined = new JoinedText();
  readonly #stops: readonly string[];
  #stopped: StoppedText;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
    this.#stopped = new StoppedText(stops);
  }

  /** As far as it can be shown. */
  get text(): string {
    return this.#stops.length === 0 ? this.#joined.text : this.#stopped.shown;
  }

  /** Nothing more is a part of it. */
  get isStopped(): boolean {
    return this.#stopped.isStopped;
  }

  /** Returns what can be shown more than before. */
  append(id: string, addition: string): string {
    const growth = this.#joined.append(id, addition);
    return this.#stops.length === 0 ? growth : this.#stopped.push(growth);
  }

  /** The answer is over. Returns what was held back until now. */
  finish(): string {
    return this.#stopped.finish();
  }

  /** The text of one item, also where it is not shown; empty if there is none. */
  of(id: string): string {
    return this.#joined.of(id);
  }

  /** Where in the whole the text of an item begins. */
  startOf(id: string): number {
    return this.#joined.startOf(id);
  }

  /** Only of an answer that no one has seen, as with `drop`. */
  replace(id: string, text: string): void {
    if (text === this.#joined.of(id)) return;
    this.#joined.replace(id, text);
    this.#readAgain();
  }

  drop(id: string): void {
    if (this.#joined.of(id) === "") return;
    this.#joined.drop(id);
    this.#readAgain();
  }

  #readAgain(): void {
    if (this.#stops.length === 0) return;
    this.#stopped = new StoppedText(this.#stops);
    this.#stopped.push(this.#joined.text);
  }
}

/** Which part of an item's reasoning is shown: its summary, or its text where the model gives no summary. */
type Source = "summary" | "text";

const partSeparator = "\n\n";

interface Progress {
  readonly source: Source;
  partIndex: number;
}

/** `reasoning_content`: the reasoning that the model shows, and its commentary. */
export class ReasoningText {
  readonly #whole = new JoinedText();
  readonly #items = new Map<string, Progress>();

  get text(): string {
    return this.#whole.text;
  }

  /** The text of one item; empty if there is none. */
  of(id: string): string {
    return this.#whole.of(id);
  }

  drop(id: string): void {
    this.#whole.drop(id);
    this.#items.delete(id);
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

  /** What the model says while it works, shown among its thoughts. Returns what the whole grew by. */
  comment(id: string, addition: string): string {
    return this.#whole.append(id, addition);
  }

  /** Returns what the deltas missed of a finished comment. */
  completeComment(id: string, text: string): string {
    return this.#whole.append(id, missingText(this.#whole.of(id), text).rest);
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
