import type { Readable } from "node:stream";
import { CodexNativeApiError } from "../../errors.js";

/** How slowly bytes may come: a sender that falls `graceMs` behind this speed is given up. */
export interface BodyPace {
  /** 0: bytes may come as slowly as they like. */
  readonly minBytesPerSecond: number;
  readonly graceMs: number;
}

/** As much as one read of a socket brings. */
const bytesInARound = 64 * 1024;

/** A promise holds the sender back until it settles, which is not the sender's time. */
export type TakeChunk = (chunk: Buffer) => void | Promise<void>;

/**
 * Follows the bytes of one body to their end. Each byte earns its sender time, up to the grace, so that a body that has almost
 * arrived and then stands still is given up as soon as one that never came.
 *
 * Takes at once all that a read of the socket brought: a body in chunks of one byte would cost a call for each, and hold up
 * everybody else.
 */
export class BodyFlow {
  /** Rejects with what `take` throws, with what `stop` is given, if the sender is too slow, and if the body is cut short. */
  readonly done: Promise<void>;
  readonly #source: Readable;
  readonly #pace: BodyPace;
  readonly #take: TakeChunk;
  readonly #settle: (error: unknown) => void;
  #isOver = false;
  #isHeldBack = false;
  #lastByteAtMs = performance.now();
  #dueAtMs: number;
  #timer: NodeJS.Timeout | null = null;
  #round: NodeJS.Immediate | null = null;
  #roundBytes = 0;

  /** `take` gets each chunk as it arrives; what it throws, or rejects with, ends the flow. */
  constructor(source: Readable, pace: BodyPace, take: TakeChunk) {
    this.#source = source;
    this.#pace = pace;
    this.#take = take;
    this.#dueAtMs = this.#lastByteAtMs + pace.graceMs;
    let settle: (error: unknown) => void = () => {};
    this.done = new Promise((resolve, reject) => {
      settle = (error) => (error === null ? resolve() : reject(error));
    });
    this.#settle = settle;
    if (source.readableEnded) this.#end(null);
    else if (source.destroyed) this.#onCut();
    else this.#follow();
  }

  /** For how long nothing has come. */
  get silentMs(): number {
    return this.#isHeldBack ? 0 : performance.now() - this.#lastByteAtMs;
  }

  /** Ends the flow with an error, where it has not ended. What comes after that is left to whoever reads the source next. */
  stop(error: Error): void {
    this.#end(error);
  }

  #follow(): void {
    this.#source.on("readable", this.#onReadable).on("end", this.#onEnd);
    this.#source.on("error", this.#onCut).on("close", this.#onCut);
    this.#checkPace();
    // From now on node knows that somebody reads, and does not throw the body away when it is answered.
    this.#source.read(0);
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source.off("readable", this.#onReadable).off("end", this.#onEnd);
    this.#source.off("error", this.#onCut).off("close", this.#onCut);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#settle(error);
  }

  readonly #onReadable = (): void => {
    // A fast sender waits for the next round of the event loop, or it would be read on and on before anybody else.
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
    if (Buffer.isBuffer(chunk)) this.#onChunk(chunk);
  }

  #onChunk(chunk: Buffer): void {
    const nowMs = performance.now();
    const earnedMs = (chunk.length / this.#pace.minBytesPerSecond) * 1000;
    this.#lastByteAtMs = nowMs;
    this.#roundBytes += chunk.length;
    this.#dueAtMs = Math.min(nowMs + this.#pace.graceMs, this.#dueAtMs + earnedMs);
    try {
      const taken = this.#take(chunk);
      if (taken !== undefined) this.#holdBack(taken);
    } catch (error) {
      this.#end(error);
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
      (error: unknown) => this.#end(error),
    );
  }

  readonly #onEnd = (): void => this.#end(null);

  readonly #onCut = (cause?: unknown): void => {
    const details = cause === undefined ? {} : { cause };
    const message = "The connection ended before the body had come.";
    this.#end(new CodexNativeApiError("invalid_request", message, details));
  };

  #watch(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Where this process was busy, bytes wait in the socket: they are read first.
    this.#timer = setTimeout(() => setImmediate(() => this.#checkPace()), ms);
  }

  #checkPace(): void {
    if (this.#isOver || this.#isHeldBack || this.#pace.minBytesPerSecond === 0) return;
    const leftMs = this.#dueAtMs - performance.now();
    if (leftMs > 0) this.#watch(Math.ceil(leftMs));
    else this.#end(tooSlow());
  }
}

export function tooSlow(): CodexNativeApiError {
  return new CodexNativeApiError("request_timeout", "The request's body came too slowly.");
}
