import { CodexNativeApiError } from "../errors.js";

export interface LoggedResponseEvent {
  readonly sequenceNumber: number;
  /** The event's JSON. */
  readonly event: string;
}

export interface ResponseEventLogOptions {
  /** Bound on the events' JSON together, in UTF-8 bytes. */
  readonly maxBytes: number;
}

/**
 * The events of one response, for clients that attach to its stream after it began. Beyond `maxBytes` the oldest are dropped:
 * who still needs them is told so, and who is up to date sees nothing of it. A reader keeps only its position, so a slow one
 * costs no memory. Any number of readers may follow one log, each from where it likes.
 */
export class ResponseEventLog {
  readonly #maxBytes: number;
  /** By sequence number: from `#firstNumber` to before `#nextNumber`, without gaps. */
  readonly #events = new Map<number, { readonly event: string; readonly bytes: number }>();
  readonly #wakers = new Set<() => void>();
  #firstNumber = 0;
  #nextNumber = 0;
  #bytes = 0;
  #state: "open" | "closed" = "open";

  constructor({ maxBytes }: ResponseEventLogOptions) {
    this.#maxBytes = maxBytes;
  }

  /** Of the events that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#state === "closed";
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
    const bytes = Buffer.byteLength(event);
    this.#events.set(sequenceNumber, { event, bytes });
    this.#nextNumber = sequenceNumber + 1;
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    this.#wake();
  }

  /** No more events: readers end after the last one. The events stay readable. May be called again. */
  close(): void {
    this.#state = "closed";
    this.#wake();
  }

  /**
   * Events from `sequenceNumber` on, those to come included, until the log is closed. OpenAI's `starting_after` is one
   * less. A reader that waits and is no longer wanted is ended by `signal`; it then ends as if the log did.
   *
   * @throws CodexNativeApiError `continuation_expired` at once if the position is dropped already, so that it can still be
   * answered with a status; later from the iterator, if the reader was too slow.
   */
  readFrom(sequenceNumber: number, signal?: AbortSignal): AsyncIterableIterator<LoggedResponseEvent> {
    this.#checkKept(sequenceNumber);
    return this.#iterate(sequenceNumber, signal);
  }

  async *#iterate(from: number, signal?: AbortSignal): AsyncGenerator<LoggedResponseEvent, void, undefined> {
    for (let sequenceNumber = from; signal?.aborted !== true; ) {
      const logged = this.#events.get(sequenceNumber);
      if (logged !== undefined) {
        yield { sequenceNumber, event: logged.event };
        sequenceNumber += 1;
        continue;
      }
      this.#checkKept(sequenceNumber);
      if (this.closed) return;
      await this.#nextChange(signal);
    }
  }

  #checkKept(sequenceNumber: number): void {
    if (sequenceNumber >= this.#firstNumber) return;
    throw new CodexNativeApiError(
      "continuation_expired",
      `Events before number ${this.#firstNumber} of this stream are no longer kept. Read the response without streaming, or start after a later event.`,
      { param: "starting_after" },
    );
  }

  #dropOldest(): void {
    const oldest = this.#events.get(this.#firstNumber);
    this.#events.delete(this.#firstNumber);
    this.#firstNumber += 1;
    this.#bytes -= oldest?.bytes ?? 0;
  }

  #nextChange(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#wakers.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
}
