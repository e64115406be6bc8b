import { setImmediate } from "node:timers/promises";

/** When an app-server counts as hung. */
export interface HangTimes {
  /** How long no worker may be answered before the app-server counts as hung, in milliseconds. */
  readonly silentMs: number;
  /** The same for an app-server that workers have just been sent to: it is dialled first. */
  readonly connectMs: number;
}

export interface HangWatchOptions {
  /** Null while the app-server is not ours to end. */
  readonly times: () => HangTimes | null;
  /** Whether any worker is answered now. */
  readonly isAnswering: () => boolean;
  /** Whether silence is the app-server's: it runs, and a worker that could hear it is there. */
  readonly isToBlame: () => boolean;
  readonly onHung: () => void;
}

/** Finds an app-server that lives and answers nobody: workers would wait for it for ever. */
export class HangWatch {
  readonly #options: HangWatchOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: HangWatchOptions) {
    this.#options = options;
  }

  /** Workers were sent to a new app-server, or a new worker is on its way to the old one. */
  expectConnection(): void {
    this.stop();
    if (!this.#options.isAnswering()) this.#arm("connectMs");
  }

  /** Call whenever a worker was answered or has found the app-server silent. */
  look(): void {
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
    // After a blocked event loop a timer fires before what the workers said meanwhile is read.
    await setImmediate();
    await setImmediate();
    if (this.#timer !== timer) return;
    this.#timer = null;
    if (this.#options.isAnswering()) return;
    this.#arm("connectMs");
    if (this.#options.isToBlame()) this.#options.onHung();
  }
}
