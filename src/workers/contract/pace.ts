/** How long work may hold the event loop, in milliseconds. A reader of streams does not notice so short a wait. */
const sliceMs = 2;

/**
 * Shares a thread's event loop between long pieces of work: in each round of the loop the one that has waited longest
 * continues, so that ten large requests hold up a small one no longer than one does.
 */
export class LoopShare {
  readonly #waiting: (() => void)[] = [];

  /** Resolves in a later round, when it is the caller's turn. */
  nextRound(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#letOneGoOn);
    });
  }

  /** A piece of work that starts now. */
  start(): Pace {
    return new Pace(this);
  }

  readonly #letOneGoOn = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#letOneGoOn);
  };
}

/** One piece of work that lets the event loop run every few milliseconds: `if (pace.isDue) await pace.rest()`. */
export class Pace {
  readonly #share: LoopShare;
  #dueAtMs = performance.now() + sliceMs;

  constructor(share: LoopShare) {
    this.#share = share;
  }

  get isDue(): boolean {
    return performance.now() >= this.#dueAtMs;
  }

  /** Between two steps of unknown length: rests if the time is over. */
  async breathe(): Promise<void> {
    if (this.isDue) await this.rest();
  }

  async rest(): Promise<void> {
    await this.#share.nextRound();
    this.#dueAtMs = performance.now() + sliceMs;
  }
}
