/** The time of one task: its deadline, its caller's signal and the router's end, over all routes. */
import { createDeferred, watchLimits } from "../../workers/contract/wait.js";
import { RouteFailure } from "./route-failure.js";

type StopReason = "cancelled" | "closed" | "timeout" | "route_timeout";

const messages: Readonly<Record<StopReason, string>> = {
  cancelled: "The caller gave the task up.",
  closed: "The router was closed.",
  timeout: "The task's time is over.",
  route_timeout: "The route took more than its part of the task's time.",
};

interface TaskTimeOptions {
  readonly timeoutMs: number;
  readonly now: () => number;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Aborted when the router is destroyed. */
  readonly shutdown: AbortSignal;
}

export class TaskTime {
  readonly #now: () => number;
  readonly #endsAtMs: number;
  readonly #listeners = new Set<(reason: StopReason) => void>();
  readonly #cleanups: readonly (() => void)[];
  #stopped: StopReason | null = null;

  constructor({ timeoutMs, now, signal, shutdown }: TaskTimeOptions) {
    this.#now = now;
    this.#endsAtMs = now() + timeoutMs;
    if (shutdown.aborted) this.#stop("closed");
    else if (signal?.aborted === true) this.#stop("cancelled");
    this.#cleanups = [
      watchLimits({ timeoutMs, signal: shutdown }, (end) => this.#stop(end === "timeout" ? end : "closed")),
      watchLimits({ signal }, () => this.#stop("cancelled")),
    ];
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#now());
  }

  /** What ended the task; null while it may go on. */
  get stopped(): RouteFailure | null {
    return this.#stopped === null ? null : stopFailure(this.#stopped);
  }

  /**
   * Runs one attempt with a signal of its own, and settles at the latest when that is aborted, whether `run` heeds it or not.
   * Null sets no bound beside the task's own. Rejects with a `RouteFailure` that names what ended the time.
   */
  async within<T>(limitMs: number | null, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { stopped } = this;
    if (stopped !== null) throw stopped;
    const controller = new AbortController();
    const ended = createDeferred<never>();
    const stop = (reason: StopReason): void => {
      ended.reject(stopFailure(reason));
      controller.abort();
    };
    const release = watchLimits({ timeoutMs: limitMs ?? undefined }, () => stop("route_timeout"));
    this.#listeners.add(stop);
    try {
      // After a stop, what a route still says is heard by nobody.
      return await Promise.race([ended.promise, run(controller.signal)]);
    } finally {
      release();
      this.#listeners.delete(stop);
    }
  }

  dispose(): void {
    for (const cleanUp of this.#cleanups) cleanUp();
  }

  #stop(reason: StopReason): void {
    if (this.#stopped !== null) return;
    this.#stopped = reason;
    for (const listener of [...this.#listeners]) listener(reason);
  }
}

function stopFailure(reason: StopReason): RouteFailure {
  return new RouteFailure(reason, { code: reason, message: messages[reason] });
}
