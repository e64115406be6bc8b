export interface ManagedConfigurationWatchOptions {
  /** When it is to be read anew, in milliseconds; null where there is nothing to read. */
  readonly renewalInMs: () => number | null;
  /** Reads it. Resolves with whether another app-server must take over. */
  readonly renew: () => Promise<boolean>;
  readonly rotate: (reason: string) => Promise<void>;
  readonly onFailed: (error: unknown) => void;
}

/** After a rotation that failed, in milliseconds. */
const rotateAgainAfterMs = 60_000;

/**
 * An app-server keeps what an organisation demanded when it started. This reads it within every hour, and has another app-server take
 * over where it has changed; turns under way end on the old one.
 */
export class ManagedConfigurationWatch {
  readonly #options: ManagedConfigurationWatchOptions;
  #timer: NodeJS.Timeout | null = null;
  #isOutdated = false;
  #isOver = false;

  constructor(options: ManagedConfigurationWatchOptions) {
    this.#options = options;
  }

  /** Another app-server was started, with what there was then. */
  schedule(): void {
    this.#stopWaiting();
    const inMs = this.#isOutdated ? rotateAgainAfterMs : this.#options.renewalInMs();
    if (inMs === null || this.#isOver) return;
    this.#timer = setTimeout(() => void this.#renew(), inMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#isOver = true;
    this.#stopWaiting();
  }

  async #renew(): Promise<void> {
    const { renew, rotate, onFailed } = this.#options;
    try {
      if (await renew()) this.#isOutdated = true;
      if (this.#isOutdated && !this.#isOver) {
        await rotate("What the account's organisation demands has changed.");
        this.#isOutdated = false;
      }
    } catch (error) {
      if (!this.#isOver) onFailed(error);
    }
    this.schedule();
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
