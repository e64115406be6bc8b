export interface ThreadRotationOptions {
  /** Threads that one app-server may have been given before a new one takes over. */
  readonly maxThreads: number;
  /** Whether threads stay loaded on the app-server in use, whatever we do. */
  readonly applies: () => boolean;
  readonly rotate: (reason: string) => Promise<void>;
  /** A failed rotation leaves the app-server as it was; it is tried again after as many threads more. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Bounds the memory of app-servers that do not unload threads, at 0.85 MB each for 30 minutes: after so many threads a new
 * generation takes new work, and the old one ends when its own is done.
 */
export class ThreadRotation {
  readonly #options: ThreadRotationOptions;
  #generation = 0;
  #threads = 0;
  #rotating = false;

  constructor(options: ThreadRotationOptions) {
    this.#options = options;
  }

  /** A thread was started on an app-server of this generation. */
  noteThread(appServerGeneration: number): void {
    // An old generation only ends what it began.
    if (appServerGeneration < this.#generation || !this.#options.applies()) return;
    if (appServerGeneration > this.#generation) {
      this.#generation = appServerGeneration;
      this.#threads = 0;
    }
    this.#threads += 1;
    if (this.#threads >= this.#options.maxThreads && !this.#rotating) void this.#rotate();
  }

  async #rotate(): Promise<void> {
    this.#rotating = true;
    try {
      await this.#options.rotate(`This version of Codex keeps threads loaded; it has ${this.#threads}.`);
    } catch (error) {
      this.#options.onFailed(error);
    } finally {
      this.#rotating = false;
      this.#threads = 0;
    }
  }
}
