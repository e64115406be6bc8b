export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Delays that double up to a bound, each drawn from its upper half so that workers do not dial in step. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  nextDelayMs(): number {
    const { minMs, maxMs, random } = this.#options;
    const ceilingMs = Math.min(maxMs, minMs * 2 ** this.#attempt);
    if (ceilingMs < maxMs) this.#attempt += 1;
    return ceilingMs * (0.5 + random() / 2);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
