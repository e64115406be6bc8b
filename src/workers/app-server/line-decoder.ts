import { MessageTooLargeError } from "./errors.js";

const lineFeed = 0x0a;

/**
 * Cuts a byte stream into lines. Works on bytes, because a chunk may end inside a character: only whole lines are
 * turned into text.
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of a line whose end has not come yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Calls back for each line that the chunk completes. Throws `MessageTooLargeError`; the stream is lost then. */
  push(chunk: Buffer, onLine: (line: string) => void): void {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      const line = this.#take(chunk.subarray(from, end));
      from = end + 1;
      if (line !== "") onLine(line);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  #take(tail: Buffer): string {
    if (this.#bufferedBytes === 0) {
      this.#check(tail.length);
      return tail.toString("utf8");
    }
    this.#keep(tail);
    const line = Buffer.concat(this.#chunks, this.#bufferedBytes).toString("utf8");
    this.#chunks = [];
    this.#bufferedBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#check(this.#bufferedBytes + part.length);
    this.#chunks.push(part);
    this.#bufferedBytes += part.length;
  }

  #check(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    throw new MessageTooLargeError(`a line is longer than ${this.#maxLineBytes} bytes`);
  }
}
