import type { TurnOutcome } from "../contract/turn-messages.js";

/** How long Codex may take for a word on a turn of its own, in milliseconds. */
export const interruptTimeoutMs = 5_000;

export interface TurnInterruptOptions {
  /** Calls `turn/interrupt`; rejects within `interruptTimeoutMs` if Codex does not answer. */
  readonly askCodex: (threadId: string, turnId: string) => Promise<unknown>;
  /** Codex did not say that the turn ended. Not called after `stop`. */
  readonly onOverdue: (outcome: TurnOutcome) => void;
  readonly countFault: (name: string) => void;
}

/** The end of a turn by this side: it is over when Codex has let go of it, and after a while in any case. */
export class TurnInterrupt {
  readonly #options: TurnInterruptOptions;
  #outcome: TurnOutcome | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: TurnInterruptOptions) {
    this.#options = options;
  }

  /** How the turn is to end once Codex has ended it; null while it was not interrupted. */
  get outcome(): TurnOutcome | null {
    return this.#outcome;
  }

  /** Tells Codex to end the turn, whose end is its `turn/completed`. Where Codex refuses, or says nothing, it is over as well. */
  send(threadId: string, turnId: string, outcome: TurnOutcome): void {
    this.#outcome = outcome;
    this.#timer = setTimeout(() => this.#end(outcome), interruptTimeoutMs);
    void this.call(threadId, turnId).then((isTaken) => {
      if (!isTaken) this.#end(outcome);
    });
  }

  /** The turn has ended. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** False where Codex did not take it: the turn may have ended by itself. Never rejects. */
  async call(threadId: string, turnId: string): Promise<boolean> {
    try {
      await this.#options.askCodex(threadId, turnId);
      return true;
    } catch {
      this.#options.countFault("interrupt_failed");
      return false;
    }
  }

  #end(outcome: TurnOutcome): void {
    if (this.#timer === null) return;
    this.stop();
    this.#options.onOverdue(outcome);
  }
}
