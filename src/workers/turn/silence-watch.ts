import type { TurnOutcome } from "../contract/turn-messages.js";
import { watchLimits } from "../contract/wait.js";
import { stalled, turnLost } from "./turn-endings.js";

/** What Codex answers about the turn: it runs it, is done with it, failed at it, or does not say. */
export type TurnStanding = "active" | "over" | "failed" | "unknown";

/** What Codex's status of a thread says of the turn on it. */
export function standingOf(threadStatus: string): TurnStanding {
  if (threadStatus === "active") return "active";
  return threadStatus === "systemError" ? "failed" : "over";
}

export interface SilenceWatchOptions {
  /** Silence that ends the turn though Codex runs it, in milliseconds. */
  readonly limitMs: number;
  /** Asks Codex whether it runs the turn. Never rejects. */
  readonly askCodex: () => Promise<TurnStanding>;
  /** The turn is over, and its `turn/completed` never came. */
  readonly onCompletionLost: () => void;
  /** The model was silent for the limit, or Codex does not run the turn, in the middle of it. */
  readonly giveUp: (outcome: TurnOutcome) => void;
}

/** From the end of a model call to `turn/completed`, before we ask whether that was lost, in milliseconds. */
const settleMs = 3_000;
/** A silent turn is asked about this often, in milliseconds. A model that reasons is silent for minutes. */
const askEveryMs = 30_000;

/**
 * Watches a running turn for notifications that do not come. Silence alone means nothing: a model may think for minutes, and Codex
 * drops notifications under load. So we ask Codex, and a turn that it runs continues up to the limit.
 *
 * The turn writes the two public fields for every delta, so they are no methods.
 */
export class SilenceWatch {
  /** When the last sign of the turn came, on the monotonic clock. */
  heardAtMs = 0;
  /** The model is done and no function's output is waited for: `turn/completed` must follow. */
  expectsEnd = false;
  readonly #options: SilenceWatchOptions;
  #watching = false;
  /** Codex said the last time that it does not run the turn. */
  #foundOver = false;
  #stopWaiting = () => {};
  #stopSettling = () => {};

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#watching = true;
    this.heardAtMs = performance.now();
    this.#waitAnew();
  }

  /** Ends all waits, until `start`. */
  stop(): void {
    this.#watching = false;
    this.expectsEnd = false;
    this.#stopWaiting();
    this.#stopSettling();
  }

  expectEnd(): void {
    if (!this.#watching) return;
    this.expectsEnd = true;
    this.#stopSettling();
    this.#stopSettling = watchLimits({ timeoutMs: settleMs }, () => void this.#onNoEnd());
  }

  #waitAnew(silentMs = 0): void {
    this.#foundOver = false;
    this.#wait(silentMs, askEveryMs - silentMs);
  }

  /** `silentMs`: how long the turn has been silent now. */
  #wait(silentMs: number, stepMs: number): void {
    const { heardAtMs } = this;
    const timeoutMs = Math.min(stepMs, this.#options.limitMs - silentMs);
    this.#stopWaiting();
    this.#stopWaiting = watchLimits({ timeoutMs }, () => {
      // A delta sets no timer, it only leaves its time: the silence since then is what counts.
      if (this.heardAtMs === heardAtMs) void this.#onSilence(silentMs + timeoutMs);
      else this.#waitAnew(Math.round(performance.now() - this.heardAtMs));
    });
  }

  async #onSilence(silentMs: number): Promise<void> {
    const isAtLimit = silentMs >= this.#options.limitMs;
    // The time that the answer takes is silence too.
    if (!isAtLimit) this.#wait(silentMs, askEveryMs);
    const standing = await this.#ask();
    if (standing === null) {
      if (isAtLimit && this.#watching) this.#waitAnew();
      return;
    }
    if (isAtLimit) return this.#options.giveUp(stalled(this.#options.limitMs));
    const foundOverBefore = this.#foundOver;
    this.#foundOver = standing === "over" || standing === "failed";
    if (!this.#foundOver) return;
    if (foundOverBefore) return this.#options.giveUp(turnLost);
    // Its end may be on the way.
    this.#wait(silentMs, settleMs);
  }

  async #onNoEnd(): Promise<void> {
    if (!this.expectsEnd) return;
    const standing = await this.#ask();
    if (standing === null || !this.expectsEnd) return;
    if (standing === "over") this.#options.onCompletionLost();
    else if (standing === "failed") this.#options.giveUp(turnLost);
    else this.expectEnd();
  }

  /** Null if a sign of the turn came meanwhile, or it is not watched any more. */
  async #ask(): Promise<TurnStanding | null> {
    const { heardAtMs } = this;
    const standing = await this.#options.askCodex();
    return this.#watching && heardAtMs === this.heardAtMs ? standing : null;
  }
}
