import type { InstallationState } from "./codex-installation.js";

export interface InstallationWatchOptions {
  readonly inspect: () => Promise<InstallationState>;
  /** What Codex's log databases in the own home may grow to, in bytes. */
  readonly maxLogBytes: number;
  /** Starts a new app-server beside the old one, in a home made anew. */
  readonly rotate: (reason: string) => Promise<void>;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Looks after what an app-server has on disk while it runs: log databases that grow, and a home that somebody removed. Both
 * are mended by a new app-server, before which the databases are emptied and the home is made anew.
 */
export class InstallationWatch {
  readonly #options: InstallationWatchOptions;
  #busy = false;
  /** What a failed rotation found: it is tried again when as much has come on top. */
  #toleratedLogBytes = 0;

  constructor(options: InstallationWatchOptions) {
    this.#options = options;
  }

  /** One look. Never rejects; does nothing while an earlier one has its consequences. */
  async check(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { intact, logBytes } = await this.#options.inspect();
      if (!intact) await this.#options.rotate("The home directory of the app-server is gone.");
      else await this.#checkLogs(logBytes);
    } catch (error) {
      this.#options.onFailed(error);
    } finally {
      this.#busy = false;
    }
  }

  async #checkLogs(logBytes: number): Promise<void> {
    const { maxLogBytes, rotate } = this.#options;
    if (logBytes <= this.#toleratedLogBytes + maxLogBytes) return;
    this.#toleratedLogBytes = logBytes;
    await rotate(`Codex has logged ${Math.round(logBytes / 1024 / 1024)} MB.`);
    this.#toleratedLogBytes = 0;
  }
}
