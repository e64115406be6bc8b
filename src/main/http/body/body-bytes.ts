const segmentBytes = 128 * 1024;
/** First segment of a body without Content-Length. */
const unknownLengthBytes = 16 * 1024;

type Visit = (bytes: Uint8Array, from: number, to: number, offset: number) => void;

/**
 * A body's bytes, copied into segments: a chunk as it arrives may be one byte long and keep a buffer of 64 KB in memory. Offsets count
 * from the beginning of the body.
 */
export class BodyBytes {
  readonly #segments: (Buffer | null)[] = [];
  /** Offset of each segment's first byte. */
  readonly #starts: number[] = [];
  readonly #expected: number | null;
  #length = 0;
  #capacity = 0;

  /** @param expectedBytes null for a body without Content-Length. */
  constructor(expectedBytes: number | null) {
    this.#expected = expectedBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies a chunk, and calls `visit` for each part of the copy, which it may change. */
  append(chunk: Uint8Array, visit: Visit): void {
    for (let taken = 0; taken < chunk.length; ) {
      if (this.#length === this.#capacity) this.#grow();
      const index = this.#segments.length - 1;
      const segment = this.#segments[index];
      const from = this.#length - (this.#starts[index] ?? 0);
      if (!segment) throw new Error("A body that was read cannot get more bytes.");
      const part = chunk.subarray(taken, taken + segment.length - from);
      segment.set(part, from);
      taken += part.length;
      this.#length += part.length;
      visit(segment, from, from + part.length, this.#length - part.length);
    }
  }

  /** Overwrites bytes. */
  patch(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) {
      const index = this.#find(offset + at);
      const segment = this.#segments[index];
      if (segment) segment[offset + at - (this.#starts[index] ?? 0)] = bytes[at] ?? 0;
    }
  }

  /** The parts that lie between these offsets, in order. */
  *parts(from: number, to: number): Generator<Buffer> {
    for (let at = from; at < to; ) {
      const index = this.#find(at);
      const segment = this.#segments[index];
      const start = this.#starts[index] ?? 0;
      if (!segment) throw new Error("Bytes of a body were read after their release.");
      yield segment.subarray(at - start, to - start);
      at = start + segment.length;
    }
  }

  /** Frees all bytes before this offset. */
  release(before: number): void {
    for (let index = this.#find(before) - 1; index >= 0 && this.#segments[index] !== null; index -= 1) {
      this.#segments[index] = null;
    }
  }

  #grow(): void {
    const missing = this.#expected === null ? unknownLengthBytes : this.#expected - this.#length;
    const isFirst = this.#segments.length === 0;
    const size = isFirst && missing > 0 ? Math.min(missing, segmentBytes) : segmentBytes;
    this.#segments.push(Buffer.allocUnsafeSlow(size));
    this.#starts.push(this.#capacity);
    this.#capacity += size;
  }

  /** Index of the segment that holds this offset. */
  #find(offset: number): number {
    const first = this.#starts[1];
    if (first === undefined || offset < first) return 0;
    return 1 + Math.floor((offset - first) / segmentBytes);
  }
}
