export interface RestartPolicyOptions {
  /** Restarts allowed within the window. */
  readonly maxRestarts: number;
  readonly windowMs: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** From 0 inclusive to 1 exclusive, like `Math.random`. */
  readonly random: () => number;
}

export interface RestartDecision {
  readonly delayMs: number;
  /** Whether recovery will take longer than moments: the window's restarts are used up, or nothing can be started yet. */
  readonly exhausted: boolean;
}

/** A process that ran for at least this long is restarted with the shortest delay, in milliseconds. */
const steadyMs = 5_000;

/**
 * Exponential backoff with jitter, and a limit of restarts per sliding window. The exponent counts only recent restarts, so
 * a process that ran well for a while is restarted quickly, and one that keeps dying is not.
 */
export class RestartPolicy {
  readonly #options: RestartPolicyOptions;
  /** Times of the restarts in the window, oldest first; at most `maxRestarts` entries. */
  #restarts: number[] = [];

  constructor(options: RestartPolicyOptions) {
    this.#options = options;
  }

  /** Takes one restart from the budget and returns how long to wait before it. */
  next(): RestartDecision {
    const { baseDelayMs, maxDelayMs, maxRestarts, random } = this.#options;
    const pause = Math.min(maxDelayMs, baseDelayMs * 2 ** this.#countSince(steadyMs));
    // Half fixed, so that it is never immediate; half random, so that several services do not restart in step.
    return this.#take(pause / 2 + (random() * pause) / 2, maxRestarts);
  }

  /** Takes one restart from the budget without backoff: immediate until the budget is used up. */
  nextAtOnce(): RestartDecision {
    return this.#take(0, this.#options.maxRestarts);
  }

  /**
   * Returns the delay after a start that spawned no process, for example because there was no binary. It takes nothing from
   * the budget and backs off only to `maxDelayMs`, so that a repair is noticed within seconds. The result is always
   * `exhausted`, so that callers learn at once that somebody must repair something.
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
