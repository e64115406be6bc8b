/** One finished turn, as its caller saw it. */
export interface TurnSample {
  /** From the call to its end. */
  readonly totalMs: number;
  /** From the call to the first piece of text; null where text comes in one piece. */
  readonly firstDeltaMs: number | null;
  /** Pieces of text. */
  readonly deltas: number;
  /** Of the whole answer, as its pieces make it. */
  readonly characters: number;
}

/** A way to have Codex answer a prompt. */
export interface Contestant {
  readonly name: string;
  /** The service's process; null for a way without one. */
  readonly servicePid: number | null;
  /** Null for a way that starts a process a turn. */
  readonly appServerPid: number | null;
  /** One fresh turn. Rejects when it fails; has a deadline of its own. */
  runTurn(prompt: string): Promise<TurnSample>;
}

/** No turn of a benchmark takes longer; what does is counted as failed. */
export const turnDeadlineMs = 150_000;

/** Takes the times of one turn. */
export class TurnClock {
  readonly #startMs = performance.now();
  #firstDeltaMs: number | null = null;
  #deltas = 0;
  #characters = 0;

  noteDelta(delta: string): void {
    this.#firstDeltaMs ??= performance.now() - this.#startMs;
    this.#deltas++;
    this.#characters += delta.length;
  }

  /** The whole answer at once, from a way that does not stream. */
  noteWhole(text: string): void {
    this.#characters += text.length;
  }

  finish(): TurnSample {
    return {
      totalMs: performance.now() - this.#startMs,
      firstDeltaMs: this.#firstDeltaMs,
      deltas: this.#deltas,
      characters: this.#characters,
    };
  }
}
