import { limits } from "../contract/limits.js";
import { watchLimits } from "../contract/wait.js";
import { CallAbortedError, CallTimeoutError, TooManyCallsError } from "./errors.js";

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called each time the answer is found overdue although the peer has answered a probe sent after the call. */
  readonly onOverdue?: () => void;
  /** Receives a result that comes after the deadline or the abort, to release what the call created. */
  readonly onLateResult?: (result: unknown) => void;
  /** The call only asks whether the peer answers: the bound on waiting calls does not apply, and it is never overdue. */
  readonly isProbe?: boolean;
}

interface PendingCall {
  readonly method: string;
  settle(outcome: { readonly result: unknown } | { readonly error: Error }): void;
}

export interface PendingCallsOptions {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Whether the peer has answered a probe sent at this time or later. Never rejects. */
  readonly answersSince: (time: number) => Promise<boolean>;
}

/**
 * After how many milliseconds an answer is overdue, and is looked for again. Codex answers what a turn needs within tens of
 * milliseconds. On a busy machine all answers take longer; the bound grows with them, so that none counts as overdue.
 */
const overdueAfterMs = { least: 500, most: 5_000, again: 5_000 } as const;
/** An answer is overdue after this many times what the slowest of the last answers took. */
const overdueFactor = 4;
/** With each later answer the time of the slowest counts this much. */
const slowestDecay = 0.8;

/** Late results still expected; beyond this number the oldest is dropped. */
const maxLateResults = 1024;

/** Calls that wait for an answer. Exactly one thing ends each: its answer, its deadline, its abort or the end of the wire. */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #calls = new Map<string | number, PendingCall>();
  /** Calls that were found overdue more than once. */
  readonly #hanging = new Set<number>();
  readonly #late = new Map<string | number, (result: unknown) => void>();
  #nextId = 0;
  /** The longest that a watched call took lately, in milliseconds. */
  #slowestMs: number = overdueAfterMs.least;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls without an answer for more than five seconds, on a connection that answers others. */
  get hanging(): number {
    return this.#hanging.size;
  }

  /** Whether a call of ours had this id, answered or not. */
  wasIssued(id: string | number): boolean {
    return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < this.#nextId;
  }

  open(method: string, options: CallOptions): { id: number; answer: Promise<unknown> } {
    const { timeoutMs, signal, onLateResult, isProbe = false } = options;
    if (signal?.aborted === true)
      throw new CallAbortedError(`${method} was aborted`, { cause: signal.reason });
    if (!isProbe && this.#calls.size >= limits.maxPendingCalls) {
      throw new TooManyCallsError(`${limits.maxPendingCalls} calls wait for the app-server already`);
    }
    const id = this.#nextId++;
    const openedAtMs = this.#options.now();
    const answer = new Promise<unknown>((resolve, reject) => {
      const settle: PendingCall["settle"] = (outcome) => {
        this.#calls.delete(id);
        this.#hanging.delete(id);
        release();
        stopWatching();
        if ("error" in outcome) return reject(outcome.error);
        if (options.onOverdue !== undefined) {
          const tookMs = this.#options.now() - openedAtMs;
          this.#slowestMs = Math.max(tookMs, this.#slowestMs * slowestDecay);
        }
        resolve(outcome.result);
      };
      const release = watchLimits({ timeoutMs, signal }, (end) => {
        if (onLateResult !== undefined) this.#expectLate(id, onLateResult);
        const error =
          end === "timeout"
            ? new CallTimeoutError(method, timeoutMs)
            : new CallAbortedError(`${method} was aborted`, { cause: signal?.reason });
        settle({ error });
      });
      const stopWatching = isProbe ? () => {} : this.#watch(id, options);
      this.#calls.set(id, { method, settle });
    });
    return { id, answer };
  }

  /** The call that waits under this id, if there is one. */
  find(id: string | number): PendingCall | undefined {
    return this.#calls.get(id);
  }

  /** Hands a late result to the `onLateResult` of its call. */
  takeLateResult(id: string | number, result: unknown): void {
    const take = this.#late.get(id);
    this.#late.delete(id);
    take?.(result);
  }

  rejectAll(error: Error): void {
    this.#late.clear();
    for (const call of [...this.#calls.values()]) call.settle({ error });
  }

  #expectLate(id: number, take: (result: unknown) => void): void {
    this.#late.set(id, take);
    const [oldest] = this.#late.keys();
    if (this.#late.size > maxLateResults && oldest !== undefined) this.#late.delete(oldest);
  }

  get #overdueMs(): number {
    return Math.min(overdueAfterMs.most, Math.max(overdueAfterMs.least, this.#slowestMs * overdueFactor));
  }

  /** Looks for an overdue answer again and again; the returned function ends that. */
  #watch(id: number, { onOverdue }: CallOptions): () => void {
    const { now, answersSince } = this.#options;
    let lastLookAt = now();
    let looks = 0;
    let timer: NodeJS.Timeout;
    const look = async (): Promise<void> => {
      const since = lastLookAt;
      lastLookAt = now();
      const answersOthers = await answersSince(since);
      if (!this.#calls.has(id)) return;
      timer = setTimeout(() => void look(), overdueAfterMs.again);
      if (!answersOthers) return;
      looks += 1;
      if (looks === 2) this.#hanging.add(id);
      onOverdue?.();
    };
    timer = setTimeout(() => void look(), this.#overdueMs);
    return () => clearTimeout(timer);
  }
}
