import { type AppServerError, CallAbortedError, NotReadyError, TooManyCallsError } from "./errors.js";
import type { CallOptions } from "./pending-calls.js";

/** Those who wait for a connection to become ready. */
export class ReadyWaiters {
  readonly #maxWaiters: number;
  readonly #waiters = new Set<(error: AppServerError | null) => void>();

  constructor(maxWaiters: number) {
    this.#maxWaiters = maxWaiters;
  }

  get size(): number {
    return this.#waiters.size;
  }

  async wait({ timeoutMs, signal }: CallOptions): Promise<void> {
    const aborted = () =>
      new CallAbortedError("the wait for the app-server was aborted", { cause: signal?.reason });
    if (signal?.aborted === true) throw aborted();
    if (this.#waiters.size >= this.#maxWaiters)
      throw new TooManyCallsError("too many wait for the app-server");
    return new Promise((resolve, reject) => {
      const settle = (error: AppServerError | null) => {
        this.#waiters.delete(settle);
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        if (error === null) resolve();
        else reject(error);
      };
      const abort = () => settle(aborted());
      const timer = setTimeout(() => {
        settle(new NotReadyError(`the app-server was not ready within ${timeoutMs} ms`));
      }, timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.add(settle);
    });
  }

  /** Null: ready. */
  settleAll(error: AppServerError | null): void {
    for (const settle of [...this.#waiters]) settle(error);
  }
}
