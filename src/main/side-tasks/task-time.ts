/** The time of one task: its deadline, its caller's signal and the router's end, over all routes. */
import { RouteFailure } from "./route-failure.js";

export type StopReason = "cancelled" | "closed" | "timeout" | "route_timeout";

const messages: Readonly<Record<StopReason, string>> = {
  cancelled: "The caller gave the task up.",
  closed: "The router was closed.",
  timeout: "The task's time is over.",
  route_timeout: "The route took more than its part of the task's time.",
};

export interface TaskTimeOptions {
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
  readonly #cleanups: (() => void)[] = [];
  #stopped: StopReason | null = null;

  constructor({ timeoutMs, now, signal, shutdown }: TaskTimeOptions) {
    this.#now = now;
    this.#endsAtMs = now() + timeoutMs;
    const timer = setTimeout(() => this.#stop("timeout"), timeoutMs);
    this.#cleanups.push(() => clearTimeout(timer));
    this.#watch(shutdown, "closed");
    if (signal !== undefined) this.#watch(signal, "cancelled");
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
    let cleanUp = (): void => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        const stop = (reason: StopReason): void => {
          reject(stopFailure(reason));
          controller.abort();
        };
        const timer = limitMs === null ? undefined : setTimeout(() => stop("route_timeout"), limitMs);
        this.#listeners.add(stop);
        cleanUp = () => {
          clearTimeout(timer);
          this.#listeners.delete(stop);
        };
        // After a stop both do nothing: what a route still says then is heard by nobody.
        run(controller.signal).then(resolve, reject);
      });
    } finally {
      cleanUp();
    }
  }

  dispose(): void {
    for (const cleanUp of this.#cleanups.splice(0)) cleanUp();
  }

  #watch(signal: AbortSignal, reason: StopReason): void {
    if (signal.aborted) {
      this.#stop(reason);
      return;
    }
    const listener = (): void => this.#stop(reason);
    signal.addEventListener("abort", listener, { once: true });
    this.#cleanups.push(() => signal.removeEventListener("abort", listener));
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
