/**
 * The one way to wait for a promise with a deadline or an abort signal. Timers are cleared and listeners removed as soon as a
 * wait is over, however it ends, so that none of them keeps a process alive or piles up on a signal that outlives many waits.
 */

import { limits } from "./limits.js";

/** Limits of a wait. */
export interface WaitLimits {
  /** Left out: no deadline. A longer one than a timer takes is cut to that: 24 days. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | null | undefined;
  /** True: the process may end before the deadline. */
  readonly unref?: boolean;
}

/** Which of the limits ended a wait. */
export type WaitEnd = "timeout" | "aborted";

/**
 * Calls `onEnd` once: at the deadline, or when the signal aborts, or soon if it has aborted already, never before this returns. The
 * returned function ends the watch. For timers of other kinds, and for lists of waiting callers; else use `waitWithin`.
 */
export function watchLimits(
  { timeoutMs, signal, unref = false }: WaitLimits,
  onEnd: (end: WaitEnd) => void,
): () => void {
  let isOver = false;
  const release = (): void => {
    isOver = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  const end = (by: WaitEnd): void => {
    if (isOver) return;
    release();
    onEnd(by);
  };
  const abort = (): void => end("aborted");
  // A host may say Infinity, with which a timer would fire at once.
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(end, Math.min(timeoutMs, limits.maxTimerMs), "timeout");
  if (unref) timer?.unref();
  if (signal?.aborted === true) queueMicrotask(abort);
  else signal?.addEventListener("abort", abort, { once: true });
  return release;
}

/** A signal made of several limits, and the end of watching them. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** To be called when the work is over: until then the limits hold on to the signal. */
  readonly release: () => void;
}

/**
 * Aborts with the first of the signals, for its reason, or at the deadline, with a `TimeoutError`. Not `AbortSignal.any`: it holds its
 * sources weakly, and one that is collected never aborts it (nodejs/node#57736 in Node 20, #65995 in 24 and 26).
 */
export function joinSignals(
  signals: readonly (AbortSignal | null)[],
  { timeoutMs }: Pick<WaitLimits, "timeoutMs"> = {},
): JoinedSignal {
  const joined = new AbortController();
  const watches = signals.map((signal) => watchLimits({ signal }, () => joined.abort(signal?.reason)));
  const late = () => joined.abort(new DOMException(`not over within ${timeoutMs} ms`, "TimeoutError"));
  if (timeoutMs !== undefined) watches.push(watchLimits({ timeoutMs }, late));
  const aborted = signals.find((signal) => signal?.aborted === true);
  if (aborted != null) joined.abort(aborted.reason);
  return {
    signal: joined.signal,
    release: () => {
      for (const release of watches) release();
    },
  };
}

/**
 * The promise's value, or what `orElse` makes of the limit that was first: it returns another value, or throws. A rejection after that
 * is ignored and not reported as unhandled.
 */
export async function waitWithin<T, Late>(
  promise: Promise<T>,
  limits: WaitLimits,
  orElse: (end: WaitEnd) => Late,
): Promise<T | Late> {
  const ended = createDeferred<WaitEnd>();
  const release = watchLimits(limits, ended.resolve);
  try {
    return await Promise.race([promise, ended.promise.then(orElse)]);
  } finally {
    release();
  }
}

/** Whether the promise is fulfilled in time; its rejection passes through. */
export async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return waitWithin(
    promise.then(() => true),
    { timeoutMs },
    () => false,
  );
}

/** A promise that is settled from outside; `Promise.withResolvers` is not in Node 20. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function createDeferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, "promise"> = { resolve: () => {}, reject: () => {} };
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
