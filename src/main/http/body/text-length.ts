import { maxTextChars } from "../../../workers/contract/long-text.js";

/**
 * Length of a text of JSON that arrives in chunks, in UTF-16 units as the parser will make them. A text within one chunk is no long
 * one and costs nothing. What is no UTF-8 counts too little here, and is bounded where it is read.
 */
export class TextLength {
  /** Whether the text goes on from an earlier chunk. */
  isSpread = false;
  #units = 0;

  begin(): void {
    this.isSpread = false;
    this.#units = 0;
  }

  /** Bytes of an escape beyond the one unit that it stands for. */
  leaveOut(bytes: number): void {
    this.#units -= bytes;
  }

  /** The text's bytes in this chunk. True if it is too long. */
  add(chunk: Uint8Array, from: number, to: number): boolean {
    this.isSpread = true;
    let units = 0;
    for (let at = from; at < to; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte < 0x80) units += 1;
      // The first byte of a character; those of four bytes are two units.
      else if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
    this.#units += units;
    return this.#units > maxTextChars;
  }
}
