/** The last bytes of a stream, for error reports. */
export class ByteTail {
  readonly #maxBytes: number;
  #tail: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    // Copied, so that a short tail does not keep a large chunk alive.
    this.#tail = Buffer.from(Buffer.concat([this.#tail, chunk]).subarray(-this.#maxBytes));
  }

  toString(): string {
    return this.#tail.toString("utf8");
  }
}
