import { createDeferred, settlesWithin, watchLimits } from "../../workers/contract/wait.js";

/** Longest wait for turns that were cancelled, in milliseconds. */
const cancelTimeoutMs = 500;

/** What all turns of a runtime have in common: the signal that ends them with it, and the wait until none is left. */
export class TurnScope {
  /** Of the turns under way: a set of ours, since one signal that all listen to would warn of so many listeners. */
  readonly #controllers = new Set<AbortController>();
  #closed = false;
  #idle = createDeferred<void>();

  /** Whether turns have been cancelled. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs under a signal of its own that the caller and the shutdown can abort, and lets go of both afterwards. */
  async run<T>(caller: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.#closed || caller?.aborted === true) controller.abort();
    const release = watchLimits({ signal: caller }, () => controller.abort());
    this.#controllers.add(controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#controllers.delete(controller);
      release();
    }
  }

  /** Gives turns the grace, then cancels them. `isIdle`: whether none is left; `noteIdle` is called then. */
  async close(graceMs: number, isIdle: () => boolean): Promise<void> {
    if (!isIdle()) await this.#untilIdle(graceMs);
    this.#abortAll();
    if (!isIdle()) await this.#untilIdle(cancelTimeoutMs);
  }

  /** Ends the grace of a `close` under way. */
  cutGraceShort(): void {
    this.#abortAll();
    this.noteIdle();
  }

  noteIdle(): void {
    this.#idle.resolve();
  }

  #abortAll(): void {
    this.#closed = true;
    for (const controller of this.#controllers) controller.abort();
  }

  async #untilIdle(timeoutMs: number): Promise<void> {
    this.#idle = createDeferred();
    await settlesWithin(this.#idle.promise, timeoutMs);
  }
}
