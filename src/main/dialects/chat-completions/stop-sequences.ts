/** Finds the first of a few sequences in a text that comes in pieces. Its cost is linear in the text, whatever the sequences. */

/** One sequence, and how much of it has just been read (Knuth, Morris and Pratt). */
class SequenceReader {
  readonly sequence: string;
  /** For each beginning of the sequence: the length of its longest proper end that begins the sequence too. */
  readonly #fallbacks: readonly number[];
  #matched = 0;

  constructor(sequence: string) {
    this.sequence = sequence;
    const fallbacks = [0];
    for (let at = 1, length = 0; at < sequence.length; at += 1) {
      while (length > 0 && sequence[at] !== sequence[length]) length = fallbacks[length - 1] ?? 0;
      if (sequence[at] === sequence[length]) length += 1;
      fallbacks.push(length);
    }
    this.#fallbacks = fallbacks;
  }

  /** How many of the last characters may be the beginning of the sequence. */
  get matched(): number {
    return this.#matched;
  }

  /** Whether the sequence is complete with this character. */
  reads(character: string | undefined): boolean {
    const { sequence } = this;
    while (this.#matched > 0 && character !== sequence[this.#matched]) {
      this.#matched = this.#fallbacks[this.#matched - 1] ?? 0;
    }
    if (character === sequence[this.#matched]) this.#matched += 1;
    return this.#matched === sequence.length;
  }
}

/** Lets a text through up to the first stop sequence in it, and holds back what may be the beginning of one. */
export class StoppedText {
  readonly #readers: readonly SequenceReader[];
  /** Held back, in order. */
  readonly #held: string[] = [];
  #heldChars = 0;
  #shown = "";
  #isStopped = false;

  /** @param sequences none of them empty */
  constructor(sequences: readonly string[]) {
    this.#readers = sequences.map((sequence) => new SequenceReader(sequence));
  }

  /** What was let through so far. */
  get shown(): string {
    return this.#shown;
  }

  /** A sequence was found. Nothing after it is let through. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Returns what can be shown now. */
  push(text: string): string {
    if (this.#isStopped || text === "") return "";
    this.#held.push(text);
    const before = this.#heldChars;
    this.#heldChars += text.length;
    for (let at = 0; at < text.length; at += 1) {
      const length = this.#readCharacter(text[at]);
      if (length === 0) continue;
      this.#isStopped = true;
      return this.#release(before + at + 1 - length);
    }
    return this.#release(this.#heldChars - Math.max(0, ...this.#readers.map(({ matched }) => matched)));
  }

  /** The text is over: what was held back was no stop sequence. */
  finish(): string {
    return this.#isStopped ? "" : this.#release(this.#heldChars);
  }

  /** The length of the longest sequence that ends here; 0 for none. */
  #readCharacter(character: string | undefined): number {
    let longest = 0;
    for (const reader of this.#readers) {
      if (reader.reads(character)) longest = Math.max(longest, reader.sequence.length);
    }
    return longest;
  }

  #release(chars: number): string {
    let released = "";
    let whole = 0;
    for (const piece of this.#held) {
      if (released.length + piece.length > chars) break;
      released += piece;
      whole += 1;
    }
    this.#held.splice(0, whole);
    const [cut] = this.#held;
    const rest = chars - released.length;
    if (cut !== undefined && rest > 0) {
      released += cut.slice(0, rest);
      this.#held[0] = cut.slice(rest);
    }
    this.#heldChars -= chars;
    this.#shown += released;
    return released;
  }
}
