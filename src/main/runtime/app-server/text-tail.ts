import { stripVTControlCharacters } from "node:util";

/** The last bytes of a stream of text, without colours: what an error report needs and no more. */
export class TextTail {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    // Twice the bound before copying, so that a chatty process costs one copy per bound and not one per chunk.
    if (this.#bytes > 2 * this.#maxBytes) this.#compact();
  }

  read(): string {
    this.#compact();
    return stripVTControlCharacters(Buffer.concat(this.#chunks).toString("utf8")).trim();
  }

  #compact(): void {
    if (this.#bytes <= this.#maxBytes) return;
    const kept = Buffer.from(Buffer.concat(this.#chunks).subarray(-this.#maxBytes));
    this.#chunks = [kept];
    this.#bytes = kept.byteLength;
  }
}
