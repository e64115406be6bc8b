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
