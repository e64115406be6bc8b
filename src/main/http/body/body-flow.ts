import type { Readable } from "node:stream";
import { createDeferred } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";

/** How slowly bytes may arrive: a sender that falls `graceMs` behind this speed is refused. */
export interface BodyPace {
  /** 0: there is no limit. */
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
}

/** As much as one read of a socket returns. */
const bytesInARound = 64 * 1024;

/** A returned promise holds the sender back until it settles. That time does not count against the sender. */
export type TakeChunk = (chunk: Buffer) => void | Promise<void>;

/**
 * Reads one body to its end. Each byte earns its sender time, up to the grace, so that a body that stops shortly before its end is
 * refused as soon as one that never began.
 *
 * Each read takes all bytes that the socket has: a body in chunks of one byte would cost a call for each, and delay all other callers.
 */
export class BodyFlow {
  readonly #source: Readable;
  readonly #pace: BodyPace;
  readonly #take: TakeChunk;
  readonly #settled = createDeferred<void>();
  /** Rejects with an error of `take`, with the error given to `end`, if the sender is too slow, and if the body is cut short. */
  readonly done = this.#settled.promise;
  #isOver = false;
  #isHeldBack = false;
  #lastByteAtMs = performance.now();
  #dueAtMs: number;
  #timer: NodeJS.Timeout | undefined;
  #round: NodeJS.Immediate | null = null;
  #roundBytes = 0;

  /** `take` gets each chunk as it arrives; what it throws, or rejects with, ends the flow. */
  constructor(source: Readable, pace: BodyPace, take: TakeChunk) {
    this.#source = source;
    this.#pace = pace;
    this.#take = take;
    this.#dueAtMs = this.#lastByteAtMs + pace.graceMs;
    if (source.readableEnded) this.end(null);
    else if (source.destroyed) this.#onCut();
    else this.#follow();
  }

  /** Time since the last byte. */
  get silentMs(): number {
    return this.#isHeldBack ? 0 : performance.now() - this.#lastByteAtMs;
  }

  #follow(): void {
    this.#source.on("readable", this.#onReadable).on("end", this.#onEnd);
    this.#source.on("error", this.#onCut).on("close", this.#onCut);
    this.#checkPace();
    // Tells node that the body has a reader. Else it would throw the body away once the request is answered.
    this.#source.read(0);
  }

  /** Ends the flow, if it has not ended yet: with an error, or null for a complete body. Later bytes stay in the source, for its next reader. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source.off("readable", this.#onReadable).off("end", this.#onEnd);
    this.#source.off("error", this.#onCut).off("close", this.#onCut);
    clearTimeout(this.#timer);
    if (error === null) this.#settled.resolve();
    else this.#settled.reject(error);
  }

  readonly #onReadable = (): void => {
    // A fast sender waits for the next round of the event loop, so that others have their turn.
    if (this.#roundBytes < bytesInARound) this.#read();
    else this.#round ??= setImmediate(this.#startRound);
  };

  readonly #startRound = (): void => {
    this.#round = null;
    this.#roundBytes = 0;
    this.#read();
  };

  #read(): void {
    if (this.#isOver || this.#isHeldBack) return;
    const chunk: unknown = this.#source.read();
    if (!Buffer.isBuffer(chunk)) return;
    const nowMs = performance.now();
    const earnedMs = (chunk.length / this.#pace.minBytesPerSecond) * 1000;
    this.#lastByteAtMs = nowMs;
    this.#roundBytes += chunk.length;
    this.#dueAtMs = Math.min(nowMs + this.#pace.graceMs, this.#dueAtMs + earnedMs);
    try {
      const taken = this.#take(chunk);
      if (taken !== undefined) this.#holdBack(taken);
    } catch (error) {
      this.end(error);
    }
  }

  #holdBack(until: Promise<void>): void {
    const heldAtMs = performance.now();
    this.#isHeldBack = true;
    until.then(
      () => {
        this.#isHeldBack = false;
        if (this.#isOver) return;
        const heldMs = performance.now() - heldAtMs;
        this.#lastByteAtMs += heldMs;
        this.#dueAtMs += heldMs;
        this.#checkPace();
        this.#onReadable();
      },
      (error: unknown) => this.end(error),
    );
  }

  readonly #onEnd = (): void => this.end(null);

  readonly #onCut = (cause?: unknown): void => {
    const message = "The connection ended before the body was complete.";
    this.end(new CodexNativeApiError("invalid_request", message, { cause }));
  };

  #watch(ms: number): void {
    clearTimeout(this.#timer);
    // Bytes may wait in the socket if this process was busy: the event loop reads them before the check.
    this.#timer = setTimeout(() => setImmediate(() => this.#checkPace()), ms);
  }

  #checkPace(): void {
    if (this.#isOver || this.#isHeldBack || this.#pace.minBytesPerSecond === 0) return;
    const leftMs = this.#dueAtMs - performance.now();
    if (leftMs > 0) this.#watch(Math.ceil(leftMs));
    else this.end(tooSlow());
  }
}

export function tooSlow(): CodexNativeApiError {
  return new CodexNativeApiError("request_timeout", "The request's body arrived too slowly.");
}
