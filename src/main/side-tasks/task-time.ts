/** The time of one task over all routes: its deadline, its caller's signal and the router's shutdown. */
import { waitWithin, watchLimits } from "../../workers/contract/wait.js";
import { RouteFailure } from "./route-failure.js";

const messages = {
  cancelled: "The caller cancelled the task.",
  closed: "The router was closed.",
  timeout: "The task ran out of time.",
  route_timeout: "The route used up its share of the task's time.",
} as const;

type StopReason = keyof typeof messages;

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
  readonly #end = new AbortController();
  readonly #cleanups: readonly (() => void)[];
  #stopped: RouteFailure | null = null;

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
    return this.#stopped;
  }

  /**
   * Runs one attempt with a signal of its own, and settles as soon as that aborts, even if `run` ignores it. `limitMs` null: the task's
   * own time is the only bound. Rejects with a `RouteFailure` that names what ended the time.
   */
  async within<T>(limitMs: number | null, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stopped !== null) throw this.#stopped;
    const controller = new AbortController();
    const bounds = { timeoutMs: limitMs ?? undefined, signal: this.#end.signal };
    return waitWithin(run(controller.signal), bounds, () => {
      controller.abort();
      throw this.#stopped ?? stopFailure("route_timeout");
    });
  }

  dispose(): void {
    for (const cleanUp of this.#cleanups) cleanUp();
  }

  #stop(reason: StopReason): void {
    this.#stopped ??= stopFailure(reason);
    this.#end.abort();
  }
}

function stopFailure(reason: StopReason): RouteFailure {
  return new RouteFailure(reason, { code: reason, message: messages[reason] });
}
