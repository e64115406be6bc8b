/** Clocks run apart by less than this while a machine is awake and nobody sets them, in milliseconds. */
const toleranceMs = 10_000;

/**
 * Notices that one clock jumped against another: the wall clock where it was set, or the machine slept; the time since the machine was
 * started where it slept, since the monotonic clock stands then.
 */
export class ClockWatch {
  readonly #steady: () => number;
  readonly #other: () => number;
  #apartMs: number;

  /** Both in milliseconds. */
  constructor(steady: () => number, other: () => number) {
    this.#steady = steady;
    this.#other = other;
    this.#apartMs = other() - steady();
  }

  /** True once after each jump, in either direction. A clock that drifts jumps never, however long it does. */
  hasJumped(): boolean {
    const apartMs = this.#other() - this.#steady();
    const hasJumped = Math.abs(apartMs - this.#apartMs) > toleranceMs;
    this.#apartMs = apartMs;
    return hasJumped;
  }
}
