import { createDeferred, type Deferred, waitWithin } from "../../workers/contract/wait.js";
import { CodexNativeApiError } from "../errors.js";

/** Events as they were appended, whole ones, as many as lie together. */
export interface LoggedEvents {
  readonly bytes: Uint8Array;
  /** Number of the event after these. */
  readonly nextNumber: number;
}

export interface ResponseEventLogOptions {
  /** Bound on the memory that the events take, in bytes. */
  readonly maxBytes: number;
  /** Called with the difference when that memory grew or shrank. Default: does nothing. */
  readonly onResize?: (deltaBytes: number) => void;
}

/** Events that lie one after the other in one piece of memory. */
interface Segment {
  readonly firstNumber: number;
  bytes: Buffer;
  used: number;
  /** Where each event ends. */
  readonly ends: number[];
}

const smallestSegmentBytes = 4 * 1024;
const largestSegmentBytes = 64 * 1024;
/** What an event and a segment take beside the events' bytes; seen on Node 20 to 24, rounded up. */
const overhead = { eventBytes: 12, segmentBytes: 256 } as const;

/**
 * The events of one response, as text, for clients that follow its stream at their own pace or attach to it later. They lie as bytes
 * in few pieces, so that what they take is known exactly. Beyond `maxBytes` the oldest are dropped: a reader that still needs them fails with an error,
 * and one that is up to date notices nothing. A reader keeps only its position, so that a slow one costs no memory; any number of
 * them may follow one log.
 */
export class ResponseEventLog {
  readonly #maxBytes: number;
  readonly #onResize: (deltaBytes: number) => void;
  /** Oldest first, without gaps from `#firstNumber` to before `#nextNumber`. */
  readonly #segments: Segment[] = [];
  /** Resolved when there is something new to read; null while no reader waits. */
  #change: Deferred<void> | null = null;
  #wakeSoon: NodeJS.Immediate | null = null;
  #firstNumber = 0;
  #nextNumber = 0;
  #bytes = 0;
  #readers = 0;
  #state: "open" | "closed" = "open";
  #discarded: CodexNativeApiError | null = null;

  constructor({ maxBytes, onResize = () => {} }: ResponseEventLogOptions) {
    this.#maxBytes = maxBytes;
    this.#onResize = onResize;
  }

  /** The memory that its events take. */
  get bytes(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Readers that have begun and not ended. */
  get readers(): number {
    return this.#readers;
  }

  /** Number of the oldest event that can still be read, or of the one that comes next if there is none. */
  get firstSequenceNumber(): number {
    return this.#firstNumber;
  }

  /** Number of the event that comes next. */
  get nextSequenceNumber(): number {
    return this.#nextNumber;
  }

  /** Throws an `Error` after `close`, and for a number that does not follow the one before. The first is 0. */
  append(event: string, sequenceNumber: number): void {
    if (this.#state === "closed") throw new Error("A closed event log takes no more events.");
    if (sequenceNumber !== this.#nextNumber) {
      throw new Error(`Event ${sequenceNumber} was added where ${this.#nextNumber} comes next.`);
    }
    const size = Buffer.byteLength(event);
    if (sizeWithOverhead(size) > this.#maxBytes) this.#skip();
    else this.#write(event, size);
    // A model's words come by the hundred in one round of the event loop: its readers wake once.
    if (this.#change !== null) this.#wakeSoon ??= setImmediate(() => this.#wake());
  }

  /** No more events: readers end after the last one. The events stay readable. May be called again. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const last = this.#segments.at(-1);
    if (last !== undefined) this.#trimToSize(last);
    this.#wake();
  }

  /** Closes it and gives the events back. A reader that has not read them all fails with this error. */
  discard(error: CodexNativeApiError): void {
    this.close();
    this.#discarded ??= error;
    while (this.dropOldest());
    this.#wake();
  }

  /** Gives the oldest events back, some ten kilobytes of them; false if there are none. */
  dropOldest(): boolean {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return false;
    this.#firstNumber = endOf(oldest);
    this.#resize(-sizeOf(oldest));
    return true;
  }

  /**
   * Events from `sequenceNumber` on, those to come included, until the log is closed. OpenAI's `starting_after` is one
   * less.
   *
   * @throws CodexNativeApiError `continuation_expired` at once if the position is dropped already, so that it can still be
   * answered with a status; later from the iterator, if the reader was too slow. From the iterator also what `discard` was given,
   * and the reason of the signal.
   */
  readFrom(sequenceNumber: number, signal?: AbortSignal): AsyncIterableIterator<LoggedEvents> {
    this.requireKept(sequenceNumber);
    return this.#iterate(sequenceNumber, signal);
  }

  /** @throws CodexNativeApiError if the event was dropped; one that is yet to come was not. */
  requireKept(sequenceNumber: number): void {
    if (sequenceNumber >= this.#firstNumber) return;
    if (this.#discarded !== null) throw this.#discarded;
    throw new CodexNativeApiError(
      "continuation_expired",
      `Events before number ${this.#firstNumber} of this stream are no longer kept. Read the response without streaming, or start after a later event.`,
      { param: "starting_after" },
    );
  }

  async *#iterate(from: number, signal?: AbortSignal): AsyncGenerator<LoggedEvents, void, undefined> {
    this.#readers += 1;
    try {
      for (let number = from; !(this.closed && number >= this.#nextNumber); ) {
        signal?.throwIfAborted();
        const events = this.#read(number);
        if (events !== null) {
          yield events;
          number = events.nextNumber;
        } else {
          this.requireKept(number);
          this.#change ??= createDeferred();
          await waitWithin(this.#change.promise, { signal }, () => undefined);
        }
      }
    } finally {
      this.#readers -= 1;
    }
  }

  #read(number: number): LoggedEvents | null {
    const segment = this.#segments.findLast(({ firstNumber }) => firstNumber <= number);
    if (segment === undefined || number >= endOf(segment)) return null;
    const start = segment.ends[number - segment.firstNumber - 1] ?? 0;
    return { bytes: segment.bytes.subarray(start, segment.used), nextNumber: endOf(segment) };
  }

  #write(event: string, size: number): void {
    const last = this.#segments.at(-1);
    const hasRoom = last !== undefined && last.bytes.length - last.used >= size;
    const segment = hasRoom ? last : this.#createSegment(size);
    segment.bytes.write(event, segment.used);
    segment.used += size;
    segment.ends.push(segment.used);
    this.#nextNumber += 1;
    if (!hasRoom) this.#segments.push(segment);
    // Last, since `onResize` may drop what was just written.
    this.#resize(hasRoom ? overhead.eventBytes : sizeOf(segment));
    while (this.#bytes > this.#maxBytes && this.dropOldest());
  }

  /** An event that is larger than all the room: nothing is kept of it, nor of what came before. */
  #skip(): void {
    while (this.dropOldest());
    this.#nextNumber += 1;
    this.#firstNumber = this.#nextNumber;
  }

  /** Segments grow with the log, so that a short one takes little and a long one has few. */
  #createSegment(leastBytes: number): Segment {
    const usual = Math.min(Math.max(this.#bytes, smallestSegmentBytes), largestSegmentBytes);
    // Some segments must fit, or the first that is dropped would be all there is.
    const size = Math.max(leastBytes, Math.min(usual, Math.floor(this.#maxBytes / 8)));
    // Of its own and not from Node's pool, of which a small buffer keeps more than it is counted for.
    const bytes = Buffer.allocUnsafeSlow(size);
    return { firstNumber: this.#nextNumber, bytes, used: 0, ends: [] };
  }

  #trimToSize(segment: Segment): void {
    const before = sizeOf(segment);
    const bytes = Buffer.allocUnsafeSlow(segment.used);
    segment.bytes.copy(bytes, 0, 0, segment.used);
    segment.bytes = bytes;
    this.#resize(sizeOf(segment) - before);
  }

  #resize(delta: number): void {
    this.#bytes += delta;
    this.#onResize(delta);
  }

  #wake(): void {
    if (this.#wakeSoon !== null) clearImmediate(this.#wakeSoon);
    this.#wakeSoon = null;
    this.#change?.resolve();
    this.#change = null;
  }
}

function endOf({ firstNumber, ends }: Segment): number {
  return firstNumber + ends.length;
}

function sizeOf({ bytes, ends }: Segment): number {
  return bytes.length + overhead.segmentBytes + ends.length * overhead.eventBytes;
}

function sizeWithOverhead(eventBytes: number): number {
  return eventBytes + overhead.segmentBytes + overhead.eventBytes;
}
