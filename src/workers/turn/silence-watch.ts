/** From the end of a model call to `turn/completed`, before we ask whether that was lost, in milliseconds. */
const settleMs = 3_000;

export interface SilenceWatchOptions {
  readonly idleTimeoutMs: number;
  /** Whether Codex is still at the turn. Never rejects. */
  readonly askStillRunning: () => Promise<boolean>;
  /** The turn is over, and its `turn/completed` never came. */
  readonly onCompletionLost: () => void;
  /** Nothing was heard for the idle limit. */
  readonly onStalled: () => void;
}

/** Watches a running turn for what does not come. Codex drops notifications under load, so it is asked before it is blamed. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #watching = false;
  #idleTimer: NodeJS.Timeout | null = null;
  #settleTimer: NodeJS.Timeout | null = null;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#watching = true;
    this.#idleTimer = setTimeout(() => void this.#onSilence(), this.#options.idleTimeoutMs);
  }

  /** Ends all waits; `start` begins anew. */
  stop(): void {
    this.#watching = false;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    this.goOn();
  }

  /** Something came. */
  heard(): void {
    this.#idleTimer?.refresh();
  }

  /** The model is done and nobody is waited for: `turn/completed` must follow. */
  expectEnd(): void {
    if (!this.#watching) return;
    this.goOn();
    this.#settleTimer = setTimeout(() => void this.#onSilence(), settleMs);
  }

  /** The turn is not at its end after all. */
  goOn(): void {
    if (this.#settleTimer !== null) clearTimeout(this.#settleTimer);
    this.#settleTimer = null;
  }

  async #onSilence(): Promise<void> {
    if (!this.#watching) return;
    const stillRunning = await this.#options.askStillRunning();
    if (!this.#watching) return;
    if (this.#settleTimer === null) this.#options.onStalled();
    else if (stillRunning) this.expectEnd();
    else this.#options.onCompletionLost();
  }
}
