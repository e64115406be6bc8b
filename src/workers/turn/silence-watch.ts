/** What Codex says of a turn: it runs it, it is done with it, it failed at it, or it does not say. */
export type TurnStanding = "active" | "over" | "failed" | "unknown";

/** What Codex's status of a thread says of the turn on it. */
export function standingOf(threadStatus: string): TurnStanding {
  if (threadStatus === "active") return "active";
  return threadStatus === "systemError" ? "failed" : "over";
}

export interface SilenceWatchOptions {
  /** Silence that ends the turn though Codex runs it, in milliseconds. */
  readonly limitMs: number;
  /** Asks Codex how the turn stands. Never rejects. */
  readonly askCodex: () => Promise<TurnStanding>;
  /** The turn is over, and its `turn/completed` never came. */
  readonly onCompletionLost: () => void;
  /** The model was silent for the limit. */
  readonly onLimit: () => void;
  /** Codex does not run the turn, in the middle of it. */
  readonly onTurnLost: () => void;
}

/** From the end of a model call to `turn/completed`, before we ask whether that was lost, in milliseconds. */
const settleMs = 3_000;
/** A silent turn is asked about this often, in milliseconds. A model that reasons is silent for minutes. */
const askEveryMs = 30_000;

/**
 * Watches a running turn for what does not come. Silence alone says nothing: a model may think for minutes, and Codex drops
 * notifications under load. So Codex is asked, and what it runs goes on up to the limit.
 */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #watching = false;
  /** Silence up to the timer's start. */
  #silentMs = 0;
  #stepMs = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Runs from the end of a model call; only `turn/completed` is waited for then. */
  #settleTimer: NodeJS.Timeout | null = null;
  /** Grows with everything that is heard, so that an answer of before is known as such. */
  #hearings = 0;
  /** Codex said at the last look that it does not run the turn. */
  #foundOver = false;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#watching = true;
    this.#wait(0, askEveryMs);
  }

  /** Ends all waits, until `start`. */
  stop(): void {
    this.#watching = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.goOn();
  }

  /** Something came. */
  heard(): void {
    this.#hearings += 1;
    this.#foundOver = false;
    if (this.#watching && this.#silentMs === 0 && this.#timer !== null) this.#timer.refresh();
    else if (this.#watching) this.#wait(0, askEveryMs);
  }

  /** The model is done and no one else's output is waited for: `turn/completed` must follow. */
  expectEnd(): void {
    if (!this.#watching) return;
    this.goOn();
    this.#settleTimer = setTimeout(() => void this.#onNoEnd(), settleMs);
  }

  /** The turn is not at its end after all. */
  goOn(): void {
    if (this.#settleTimer !== null) clearTimeout(this.#settleTimer);
    this.#settleTimer = null;
  }

  #wait(silentMs: number, stepMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#silentMs = silentMs;
    this.#stepMs = Math.min(stepMs, this.#options.limitMs - silentMs);
    this.#timer = setTimeout(() => void this.#onSilence(), this.#stepMs);
  }

  async #onSilence(): Promise<void> {
    const silentMs = this.#silentMs + this.#stepMs;
    const isAtLimit = silentMs >= this.#options.limitMs;
    this.#timer = null;
    // The time that the answer takes is silence too.
    if (!isAtLimit) this.#wait(silentMs, askEveryMs);
    const standing = await this.#ask();
    if (standing === null) return;
    if (isAtLimit) return this.#options.onLimit();
    const foundOverBefore = this.#foundOver;
    this.#foundOver = standing === "over" || standing === "failed";
    if (!this.#foundOver) return;
    if (foundOverBefore) return this.#options.onTurnLost();
    // Its end may be on the way.
    this.#wait(silentMs, settleMs);
  }

  async #onNoEnd(): Promise<void> {
    const standing = await this.#ask();
    if (standing === null || this.#settleTimer === null) return;
    if (standing === "over") this.#options.onCompletionLost();
    else if (standing === "failed") this.#options.onTurnLost();
    else this.expectEnd();
  }

  /** Null where the answer came too late to matter. */
  async #ask(): Promise<TurnStanding | null> {
    const hearings = this.#hearings;
    const standing = await this.#options.askCodex();
    return this.#watching && hearings === this.#hearings ? standing : null;
  }
}
