/**
 * The one way to wait: for a promise, at most so long, and not beyond an abort. Timers are cleared and listeners removed as soon as a
 * wait is over, however it ends, so that none of them keeps a process alive or piles up on a signal that outlives many waits.
 */

/** What may end a wait before that which is waited for. */
export interface WaitLimits {
  /** Left out: no deadline. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | null | undefined;
  /** True: the process may end before the deadline. */
  readonly unref?: boolean;
}

/** Which of the limits ended a wait. */
export type WaitEnd = "timeout" | "aborted";

/**
 * Calls `onEnd` once: at the deadline, or when the signal aborts, or soon if it has aborted already, never before this returns. The
 * returned function lets go of both. For what keeps a list of those who wait; `waitWithin` is for everybody else.
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
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs, "timeout");
  if (unref) timer?.unref();
  if (signal?.aborted === true) queueMicrotask(abort);
  else signal?.addEventListener("abort", abort, { once: true });
  return release;
}

/**
 * The promise's value, or what `orElse` makes of the limit that was first: it returns another value, or throws. What the promise does
 * after that is nobody's: a late rejection is not unhandled.
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
  let resolve: Deferred<T>["resolve"] = () => {};
  let reject: Deferred<T>["reject"] = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
