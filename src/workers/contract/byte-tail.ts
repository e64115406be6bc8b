/** The last bytes of a stream: what an error report needs and no more. */
export class ByteTail {
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

  toString(): string {
    this.#compact();
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  #compact(): void {
    if (this.#bytes <= this.#maxBytes) return;
    // Copied, so that a short tail does not keep a large chunk alive.
    const kept = Buffer.from(Buffer.concat(this.#chunks).subarray(-this.#maxBytes));
    this.#chunks = [kept];
    this.#bytes = kept.byteLength;
  }
}
