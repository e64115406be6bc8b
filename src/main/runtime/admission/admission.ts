import { CodexNativeApiError } from "../../errors.js";
import type { Readiness } from "../types.js";
import { FairQueue } from "./fair-queue.js";

/** How many turns run and wait at once, and for how long. */
export interface AdmissionOptions {
  /** Turns that may run at once. */
  readonly maxConcurrentTurns: number;
  /** Turns that may wait. */
  readonly maxQueue: number;
  /** Longest wait in the queue, in milliseconds. */
  readonly queueTimeoutMs: number;
}

/** What can be changed while turns wait and run. */
export type AdmissionBounds = Pick<AdmissionOptions, "maxConcurrentTurns" | "maxQueue" | "queueTimeoutMs">;

/** Finds a place for one turn, or answers null when nothing can start now. */
export type PlaceFinder<Place> = () => Place | null;

export interface AdmissionRequest<Place> {
  readonly caller: string;
  readonly signal: AbortSignal | undefined;
  /** Where it can run. Throws when it never can, and that is what the turn is refused with. */
  readonly findPlace: PlaceFinder<Place>;
}

export interface Permit<Place> {
  readonly place: Place;
  readonly waitedMs: number;
  /** Gives the place back. Calling it again does nothing. */
  readonly release: () => void;
}

interface Waiting<Place> {
  readonly caller: string;
  readonly findPlace: PlaceFinder<Place>;
  readonly enqueuedAtMs: number;
  readonly settle: (outcome: Permit<Place> | Refusal) => void;
}

class Refusal {
  constructor(readonly error: unknown) {}
}

/**
 * The one queue of the service. A turn leaves it only when it can start: the running count, the start gate and a ready
 * worker all have room. Piscina's own queue stays empty, since a task pinned to a busy thread would hold up others there.
 */
export class Admission<Place> {
  #options: AdmissionOptions;
  readonly #readiness: () => Readiness;
  readonly #now: () => number;
  readonly #queue = new FairQueue<Waiting<Place>>();
  #running = 0;
  #pumpScheduled = false;
  #closedWith: CodexNativeApiError | null = null;

  constructor(options: AdmissionOptions, readiness: () => Readiness, now: () => number) {
    this.#options = options;
    this.#readiness = readiness;
    this.#now = now;
  }

  get depth(): number {
    return this.#queue.size;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Waits for a place. Rejects with `queue_full`, `queue_timeout`, `turn_cancelled`, or with what readiness says when the
   * runtime does not become ready in time.
   */
  acquire(request: AdmissionRequest<Place>): Promise<Permit<Place>> {
    const refusal = this.#closedWith ?? this.#refuse(request.signal);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const { caller, signal } = request;
      const enqueuedAtMs = this.#now();
      const leave = (error: CodexNativeApiError) => {
        if (this.#queue.delete(caller, waiting)) waiting.settle(new Refusal(error));
      };
      const onAbort = () => leave(cancelledInQueue());
      const timer = setTimeout(() => leave(this.#timeoutError()), this.#options.queueTimeoutMs);
      const waiting: Waiting<Place> = {
        caller,
        findPlace: request.findPlace,
        enqueuedAtMs,
        settle: (outcome) => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
          if (outcome instanceof Refusal) reject(outcome.error);
          else resolve(outcome);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(caller, waiting);
      this.pump();
    });
  }

  /** Counts a turn that needs no place, since it has one: it goes on and is not new. The answer ends the counting, once. */
  enterNow(): () => void {
    this.#running += 1;
    return this.#releaseOnce();
  }

  /** Bounds for what comes from here on. What waits or runs already keeps its place, also beyond a smaller bound. */
  reconfigure(bounds: AdmissionBounds): void {
    this.#options = { ...this.#options, ...bounds };
    this.pump();
  }

  /** Starts what can start now. Call it whenever room may have appeared. */
  pump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#startWhatCan();
    });
  }

  /** Refuses all that wait and all that come. */
  close(error: CodexNativeApiError): void {
    this.#closedWith ??= error;
    this.failWaiting(error);
  }

  /** Refuses all that wait now: used when waiting has become pointless. */
  failWaiting(error: CodexNativeApiError): void {
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      waiting.settle(new Refusal(error));
    }
  }

  reopen(): void {
    this.#closedWith = null;
  }

  #startWhatCan(): void {
    while (this.#queue.size > 0 && this.#running < this.#options.maxConcurrentTurns) {
      const waiting = this.#queue.peek();
      if (waiting === undefined) return;
      const place = findOrRefuse(waiting.findPlace);
      if (place === null) return;
      this.#queue.shift();
      if (place instanceof Refusal) {
        waiting.settle(place);
        continue;
      }
      this.#running += 1;
      waiting.settle(this.#permit(place, waiting));
    }
  }

  #permit(place: Place, waiting: Waiting<Place>): Permit<Place> {
    return { place, waitedMs: this.#now() - waiting.enqueuedAtMs, release: this.#releaseOnce() };
  }

  #releaseOnce(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running -= 1;
      this.pump();
    };
  }

  #refuse(signal: AbortSignal | undefined): CodexNativeApiError | null {
    if (signal?.aborted === true) return cancelledInQueue();
    if (this.#queue.size < this.#options.maxQueue) return null;
    return new CodexNativeApiError(
      "queue_full",
      `All ${this.#options.maxQueue} places of the queue are taken.`,
      {
        retryAfterMs: 1000,
      },
    );
  }

  #timeoutError(): CodexNativeApiError {
    const readiness = this.#readiness();
    if (!readiness.ready) return CodexNativeApiError.fromTurnError(readiness.error);
    return new CodexNativeApiError(
      "queue_timeout",
      `No place became free within ${this.#options.queueTimeoutMs} ms.`,
      { retryAfterMs: 1000 },
    );
  }
}

/** Whatever is thrown belongs to this turn: those behind it must not wait for it. */
function findOrRefuse<Place>(findPlace: PlaceFinder<Place>): Place | Refusal | null {
  try {
    return findPlace();
  } catch (error) {
    return new Refusal(error);
  }
}

function cancelledInQueue(): CodexNativeApiError {
  return new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
}
