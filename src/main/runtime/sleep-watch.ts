/** Clocks run apart by less than this while a machine is awake, in milliseconds. */
const toleranceMs = 10_000;

/**
 * Notices that the machine slept, by the wall clock, which went on, and the monotonic one, which did not. Connections are dead then, and
 * nobody has said so: what is sent over one waits until TCP gives up.
 */
export class SleepWatch {
  readonly #now: () => number;
  readonly #wallClock: () => number;
  #apartMs: number;

  constructor(now: () => number, wallClock: () => number) {
    this.#now = now;
    this.#wallClock = wallClock;
    this.#apartMs = wallClock() - now();
  }

  /** True once after each sleep, and where the wall clock was set. */
  hasSlept(): boolean {
    const apartMs = this.#wallClock() - this.#now();
    const hasSlept = Math.abs(apartMs - this.#apartMs) > toleranceMs;
    // Also where it has not: a clock that drifts is no sleep, however long it does.
    this.#apartMs = apartMs;
    return hasSlept;
  }
}
