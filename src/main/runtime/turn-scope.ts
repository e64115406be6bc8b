import type { IsolatedTurnHandlers } from "./types.js";

/** Longest wait for turns that were told to end, in milliseconds. */
const cancelTimeoutMs = 6_000;

/** What all turns of a runtime have in common: the signal that ends them with it, and the wait until none is left. */
export class TurnScope {
  readonly #shutdown = new AbortController();
  #onIdle: (() => void) | null = null;

  /** Whether turns have been told to end. */
  get closed(): boolean {
    return this.#shutdown.signal.aborted;
  }

  /** Runs under a signal of its own that the caller and the shutdown can abort, and lets go of both afterwards. */
  async run<T>(handlers: IsolatedTurnHandlers, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const sources = [this.#shutdown.signal, ...(handlers.signal === undefined ? [] : [handlers.signal])];
    for (const source of sources) {
      if (source.aborted) abort();
      source.addEventListener("abort", abort, { once: true });
    }
    try {
      return await run(controller.signal);
    } finally {
      for (const source of sources) source.removeEventListener("abort", abort);
    }
  }

  /** Gives turns the grace, then tells them to end. `isIdle` says whether any is left; `noteIdle` when none is. */
  async close(graceMs: number, isIdle: () => boolean): Promise<void> {
    if (!isIdle()) await this.#idle(graceMs);
    this.#shutdown.abort();
    if (!isIdle()) await this.#idle(cancelTimeoutMs);
  }

  /** Ends the grace of a `close` under way. */
  hurry(): void {
    this.#shutdown.abort();
    this.#onIdle?.();
  }

  noteIdle(): void {
    this.#onIdle?.();
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
