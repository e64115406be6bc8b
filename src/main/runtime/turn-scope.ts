import type { IsolatedTurnHandlers } from "./types.js";

/** Longest wait for turns that were told to end, in milliseconds. */
const cancelTimeoutMs = 500;

/** What all turns of a runtime have in common: the signal that ends them with it, and the wait until none is left. */
export class TurnScope {
  /** Of the turns under way: a set of ours, since one signal that all listen to would warn of so many listeners. */
  readonly #controllers = new Set<AbortController>();
  #closed = false;
  #onIdle: (() => void) | null = null;

  /** Whether turns have been told to end. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs under a signal of its own that the caller and the shutdown can abort, and lets go of both afterwards. */
  async run<T>(handlers: IsolatedTurnHandlers, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const { signal } = handlers;
    if (this.#closed || signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#controllers.add(controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#controllers.delete(controller);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Gives turns the grace, then tells them to end. `isIdle` says whether any is left; `noteIdle` when none is. */
  async close(graceMs: number, isIdle: () => boolean): Promise<void> {
    if (!isIdle()) await this.#idle(graceMs);
    this.#abortAll();
    if (!isIdle()) await this.#idle(cancelTimeoutMs);
  }

  /** Ends the grace of a `close` under way. */
  cutGraceShort(): void {
    this.#abortAll();
    this.#onIdle?.();
  }

  noteIdle(): void {
    this.#onIdle?.();
  }

  #abortAll(): void {
    this.#closed = true;
    for (const controller of this.#controllers) controller.abort();
  }

  #idle(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
