import { limits } from "../contract/limits.js";
import { watchLimits } from "../contract/wait.js";
import { CallAbortedError, CallTimeoutError, TooManyCallsError } from "./errors.js";

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called each time that the answer is found overdue and the peer has answered something that was asked after the call. */
  readonly onOverdue?: () => void;
  /** Takes a result that comes after the deadline or the abort, so that what the call made is not left behind. */
  readonly onLateResult?: (result: unknown) => void;
  /** The call only asks whether the peer answers: it goes out however many others wait, and is never overdue. */
  readonly isProbe?: boolean;
}

interface PendingCall {
  readonly method: string;
  settle(outcome: { readonly result: unknown } | { readonly error: Error }): void;
}

export interface PendingCallsOptions {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Whether the peer has answered something that was asked at this time or later. Never rejects. */
  readonly answersSince: (time: number) => Promise<boolean>;
}

/**
 * How long an answer takes before it counts as overdue, and how long until it is looked after again, in milliseconds. Codex
 * answers what a turn needs within some tens of milliseconds; on a busy machine it takes longer for all, and none of them is overdue.
 */
const overdueAfterMs = { least: 500, most: 5_000, again: 5_000 } as const;
/** So many times what the slowest of the last answers took. */
const overdueFactor = 4;
/** What is left of the slowest with each answer since. */
const forgetting = 0.8;

/** Late results that are waited for; beyond these the oldest is given up. */
const maxLateResults = 1024;

/** Calls that wait for an answer. Each leaves by exactly one door: answer, deadline, abort or the end of the wire. */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #calls = new Map<number, PendingCall>();
  /** Calls that were found overdue more than once. */
  readonly #hanging = new Set<number>();
  readonly #late = new Map<number, (result: unknown) => void>();
  #nextId = 0;
  /** What watched calls took to be answered, at worst and lately. */
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

  /** Whether a call of ours bore this id, answered or not. */
  wasIssued(id: unknown): boolean {
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
        if (options.onOverdue !== undefined) this.#noteAnswered(this.#options.now() - openedAtMs);
        resolve(outcome.result);
      };
      const giveUp = (error: Error) => {
        if (onLateResult !== undefined) this.#expectLate(id, onLateResult);
        settle({ error });
      };
      const release = watchLimits({ timeoutMs, signal }, (end) => {
        giveUp(
          end === "timeout"
            ? new CallTimeoutError(method, timeoutMs)
            : new CallAbortedError(`${method} was aborted`, { cause: signal?.reason }),
        );
      });
      const stopWatching = isProbe ? () => {} : this.#watch(id, options);
      this.#calls.set(id, { method, settle });
    });
    return { id, answer };
  }

  /** The call that waits under this id, if one does. */
  find(id: unknown): PendingCall | undefined {
    return typeof id === "number" ? this.#calls.get(id) : undefined;
  }

  /** A result for a call that has been given up. False where none was waited for. */
  takeLateResult(id: unknown, result: unknown): boolean {
    const take = typeof id === "number" ? this.#late.get(id) : undefined;
    if (typeof id !== "number" || take === undefined) return false;
    this.#late.delete(id);
    take(result);
    return true;
  }

  rejectAll(error: Error): void {
    this.#late.clear();
    for (const call of [...this.#calls.values()]) call.settle({ error });
  }

  #expectLate(id: number, take: (result: unknown) => void): void {
    this.#late.set(id, take);
    for (const oldest of this.#late.keys()) {
      if (this.#late.size <= maxLateResults) return;
      this.#late.delete(oldest);
    }
  }

  #noteAnswered(tookMs: number): void {
    this.#slowestMs = Math.max(tookMs, this.#slowestMs * forgetting);
  }

  get #overdueMs(): number {
    return Math.min(overdueAfterMs.most, Math.max(overdueAfterMs.least, this.#slowestMs * overdueFactor));
  }

  /** Looks after an answer that does not come, until it is stopped. */
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
