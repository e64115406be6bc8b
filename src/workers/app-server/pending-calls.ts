import { limits } from "../contract/limits.js";
import { CallAbortedError, CallTimeoutError, TooManyCallsError } from "./errors.js";

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

interface PendingCall {
  readonly method: string;
  settle(outcome: { readonly result: unknown } | { readonly error: Error }): void;
}

/** Calls that wait for an answer. Each leaves by exactly one door: answer, deadline, abort or the end of the wire. */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  #nextId = 0;

  get size(): number {
    return this.#calls.size;
  }

  /** Whether a call of ours bore this id, answered or not. */
  wasIssued(id: unknown): boolean {
    return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < this.#nextId;
  }

  open(method: string, { timeoutMs, signal }: CallOptions): { id: number; answer: Promise<unknown> } {
    if (signal?.aborted === true)
      throw new CallAbortedError(`${method} was aborted`, { cause: signal.reason });
    if (this.#calls.size >= limits.maxPendingCalls) {
      throw new TooManyCallsError(`${limits.maxPendingCalls} calls wait for the app-server already`);
    }
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      const settle: PendingCall["settle"] = (outcome) => {
        this.#calls.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.result);
      };
      const abort = () => {
        settle({ error: new CallAbortedError(`${method} was aborted`, { cause: signal?.reason }) });
      };
      const timer = setTimeout(() => settle({ error: new CallTimeoutError(method, timeoutMs) }), timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      this.#calls.set(id, { method, settle });
    });
    return { id, answer };
  }

  /** The call that waits under this id, if one does. */
  find(id: unknown): PendingCall | undefined {
    return typeof id === "number" ? this.#calls.get(id) : undefined;
  }

  rejectAll(error: Error): void {
    for (const call of [...this.#calls.values()]) call.settle({ error });
  }
}
