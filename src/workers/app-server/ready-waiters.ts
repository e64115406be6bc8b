import { createDeferred, type Deferred, waitWithin } from "../contract/wait.js";
import { type AppServerError, CallAbortedError, NotReadyError, TooManyCallsError } from "./errors.js";
import type { CallOptions } from "./pending-calls.js";

/** Those who wait for a connection to become ready. */
export class ReadyWaiters {
  readonly #maxWaiters: number;
  readonly #waiters = new Set<Deferred<void>>();

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
    const waiter = createDeferred<void>();
    this.#waiters.add(waiter);
    try {
      await waitWithin(waiter.promise, { timeoutMs, signal }, (end) => {
        throw end === "timeout"
          ? new NotReadyError(`the app-server was not ready within ${timeoutMs} ms`)
          : aborted();
      });
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Null: ready. */
  settleAll(error: AppServerError | null): void {
    for (const { resolve, reject } of this.#waiters) {
      if (error === null) resolve();
      else reject(error);
    }
    this.#waiters.clear();
  }
}
