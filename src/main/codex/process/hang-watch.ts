import { setImmediate } from "node:timers/promises";

/** When an app-server counts as hung. */
export interface HangTimes {
  /** How long the app-server may answer no worker before it counts as hung, in milliseconds. */
  readonly silentMs: number;
  /** Replaces `silentMs` while workers still connect to the app-server, in milliseconds. */
  readonly connectMs: number;
}

/** For one process that serves all workers. */
export const sharedHangTimes: HangTimes = { silentMs: 5_000, connectMs: 15_000 };
/** For a process per worker. Each worker ends its own hung process; here only the spawn command is prepared again. */
export const stdioHangTimes: HangTimes = { silentMs: 30_000, connectMs: 30_000 };

export interface HangWatchOptions {
  /** Null while this service must not end the app-server. */
  readonly times: () => HangTimes | null;
  /** Whether the app-server answers any worker now. */
  readonly isAnswering: () => boolean;
  /** Whether the app-server causes the silence: it is up, and at least one worker still reports and could hear it. */
  readonly isAppServerAtFault: () => boolean;
  readonly onHung: () => void;
}

/** Detects an app-server that runs but answers no worker; workers would otherwise wait for it forever. */
export class HangWatch {
  readonly #options: HangWatchOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: HangWatchOptions) {
    this.#options = options;
  }

  /** Restarts the clock with `connectMs`. Call when workers start to connect to a new app-server, or a new worker does. */
  expectConnection(): void {
    this.stop();
    if (!this.#options.isAnswering()) this.#arm("connectMs");
  }

  /** Call whenever the app-server has answered a worker, or a worker has found it silent. */
  check(): void {
    if (this.#options.isAnswering()) this.stop();
    else if (this.#timer === null) this.#arm("silentMs");
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(time: keyof HangTimes): void {
    const delayMs = this.#options.times()?.[time];
    if (delayMs === undefined) return;
    const timer = setTimeout(() => void this.#judge(timer), delayMs);
    timer.unref();
    this.#timer = timer;
  }

  async #judge(timer: NodeJS.Timeout): Promise<void> {
    // After a blocked event loop this timer fires first; let the waiting messages of the workers arrive.
    await setImmediate();
    await setImmediate();
    if (this.#timer !== timer) return;
    this.#timer = null;
    if (this.#options.isAnswering()) return;
    this.#arm("connectMs");
    if (this.#options.isAppServerAtFault()) this.#options.onHung();
  }
}
