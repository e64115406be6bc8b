export interface RestartPolicyOptions {
  /** Restarts allowed within the window. */
  readonly maxRestarts: number;
  readonly windowMs: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface RestartDecision {
  readonly delayMs: number;
  /** The next one is not expected within moments: the window's restarts are used up, or there is nothing to start yet. */
  readonly exhausted: boolean;
}

/** A process that ran for so long is restarted as quickly as the first time, in milliseconds. */
const steadyMs = 5_000;

/**
 * Exponential backoff with jitter, and a bound of restarts per sliding window. The exponent is the count of restarts close
 * together, so a process that ran well for a while is restarted quickly and one that dies at once is not.
 */
export class RestartPolicy {
  readonly #options: RestartPolicyOptions;
  /** When the restarts of the window happen, oldest first; never longer than `maxRestarts`. */
  #restarts: number[] = [];

  constructor(options: RestartPolicyOptions) {
    this.#options = options;
  }

  /** Takes one restart out of the budget and says how long to wait for it. */
  next(): RestartDecision {
    const { baseDelayMs, maxDelayMs, maxRestarts, random } = this.#options;
    const pause = Math.min(maxDelayMs, baseDelayMs * 2 ** this.#countSince(steadyMs));
    // Half fixed, half random: never at once, and not in step with others.
    return this.#take(pause / 2 + (random() * pause) / 2, maxRestarts);
  }

  /** The same for a restart that is asked for: at once while the budget lasts. */
  nextAtOnce(): RestartDecision {
    return this.#take(0, this.#options.maxRestarts);
  }

  /**
   * The same for a start that ran nothing, such as one that found no binary: paced, and not taken from the budget, so that what
   * was missing is found within seconds whenever it comes. Somebody has to mend it first, so callers hear of it at once.
   *
   * @param failures how many such starts have failed in a row.
   */
  nextTry(failures: number): RestartDecision {
    const { baseDelayMs, maxDelayMs } = this.#options;
    const delayMs = Math.min(maxDelayMs, baseDelayMs * 4 * 2 ** Math.min(failures, 16));
    return { delayMs, exhausted: true };
  }

  #countInWindow(): number {
    const windowStart = this.#options.now() - this.#options.windowMs;
    this.#restarts = this.#restarts.filter((at) => at > windowStart);
    return this.#restarts.length;
  }

  #countSince(durationMs: number): number {
    const start = this.#options.now() - durationMs;
    return this.#restarts.filter((at) => at > start).length;
  }

  #take(delayMs: number, maxRestarts: number): RestartDecision {
    const { now, windowMs } = this.#options;
    const exhausted = this.#countInWindow() >= maxRestarts;
    const oldest = exhausted ? this.#restarts.shift() : undefined;
    const waitMs = oldest === undefined ? delayMs : Math.max(delayMs, oldest + windowMs - now());
    this.#restarts.push(now() + waitMs);
    return { delayMs: waitMs, exhausted };
  }
}
