import type { AppServerHealth } from "../../runtime/types.js";
import type { CodexInstallation } from "./codex-installation.js";
import type { UsageReason } from "./usage-watch.js";

/** Why a new app-server takes the place of one that runs. */
export type RotationReason =
  /** Its home was removed. */
  | "home_removed"
  /** Its logs are too large. */
  | "log_size"
  /** It keeps too many threads in memory. */
  | "kept_threads"
  /** The organisation's configuration has changed. */
  | "managed_configuration"
  /** Its account's own settings would reach prompts. */
  | "account_settings"
  /** It has another login than the login file, or none. */
  | "login"
  | UsageReason;

export interface AppServerRotationOptions {
  readonly inspect: CodexInstallation["inspect"];
  /** Rotate when Codex's log databases in the service's own home have grown by more than this, in bytes. */
  readonly maxLogBytes: number;
  /** Whether the app-server in use cannot unload threads. */
  readonly keepsThreads: () => boolean;
  /** How many threads to start on such an app-server before it is rotated. */
  readonly maxThreads: number;
  /** Milliseconds until the organisation's configuration must be read again; null if there is none. */
  readonly renewalInMs: () => number | null;
  /** Reads the organisation's configuration. Resolves with whether it has changed. */
  readonly renewConfiguration: () => Promise<boolean>;
  /** Starts a new app-server beside the old one. */
  readonly rotate: (text: string, reason: RotationReason) => Promise<void>;
  /** A rotation or a check failed; the app-server stays. */
  readonly onFailed: (error: unknown) => void;
}

/** Wait after a rotation for a changed configuration has failed, in milliseconds. */
const rotateAgainAfterMs = 60_000;

/**
 * Decides when to rotate a healthy app-server, so that a new one starts and the old one finishes its turns beside it, and counts
 * all rotations.
 */
export class AppServerRotation {
  readonly #options: AppServerRotationOptions;
  #checkingDisk = false;
  /** Size of the logs when a rotation failed; the next attempt follows when they have grown by `maxLogBytes` again. */
  #toleratedLogBytes = 0;
  #generation = 0;
  #threads = 0;
  #rotatingForThreads = false;
  #renewal: NodeJS.Timeout | undefined;
  #isOutdated = false;
  #isStopped = false;
  readonly #counts: Partial<Record<RotationReason, number>> = {};
  #last: { readonly reason: RotationReason; readonly atMs: number } | null = null;

  constructor(options: AppServerRotationOptions) {
    this.#options = options;
  }

  health(): Pick<AppServerHealth, "rotations" | "lastRotation"> {
    return { rotations: { ...this.#counts }, lastRotation: this.#last };
  }

  /** Rotates for a reason that was found elsewhere. `text` is for the log. */
  async rotate(reason: RotationReason, text: string): Promise<void> {
    await this.#options.rotate(text, reason);
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    this.#last = { reason, atMs: Date.now() };
  }

  /** The same, but a failure is reported, and resolved as false. */
  async tryToRotate(reason: RotationReason, text: string): Promise<boolean> {
    try {
      await this.rotate(reason, text);
      return true;
    } catch (error) {
      if (!this.#isStopped) this.#options.onFailed(error);
      return false;
    }
  }

  /** Checks the disk once and rotates if needed. Never rejects; does nothing while an earlier check runs. */
  async checkDisk(): Promise<void> {
    if (this.#checkingDisk) return;
    this.#checkingDisk = true;
    const { inspect, maxLogBytes, onFailed } = this.#options;
    try {
      const { intact, logBytes } = await inspect();
      if (!intact)
        await this.tryToRotate("home_removed", "The home directory of the app-server was removed.");
      else if (logBytes > this.#toleratedLogBytes + maxLogBytes) {
        const rotated = await this.tryToRotate(
          "log_size",
          `Codex's log databases have grown to ${Math.round(logBytes / 1024 / 1024)} MB.`,
        );
        this.#toleratedLogBytes = rotated ? 0 : logBytes;
      }
    } catch (error) {
      onFailed(error);
    } finally {
      this.#checkingDisk = false;
    }
  }

  /** Call when a thread was started on an app-server of this generation. Each kept thread takes 0.85 MB for 30 minutes. */
  noteThread(appServerGeneration: number): void {
    const { keepsThreads, maxThreads } = this.#options;
    // A retired generation ends soon anyway.
    if (appServerGeneration < this.#generation || !keepsThreads()) return;
    if (appServerGeneration > this.#generation) {
      this.#generation = appServerGeneration;
      this.#threads = 0;
    }
    this.#threads += 1;
    if (this.#threads >= maxThreads && !this.#rotatingForThreads) void this.#rotateForThreads();
  }

  /**
   * Schedules the next read of the organisation's configuration. Call when a new app-server, which has the current one, is
   * ready.
   */
  scheduleRenewal(): void {
    clearTimeout(this.#renewal);
    const inMs = this.#isOutdated ? rotateAgainAfterMs : this.#options.renewalInMs();
    if (inMs === null || this.#isStopped) return;
    this.#renewal = setTimeout(() => void this.#renew(), inMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#renewal);
  }

  async #rotateForThreads(): Promise<void> {
    this.#rotatingForThreads = true;
    await this.tryToRotate(
      "kept_threads",
      `This version of Codex keeps threads loaded; it has ${this.#threads}.`,
    );
    this.#rotatingForThreads = false;
    // After a failure, try again after `maxThreads` more threads.
    this.#threads = 0;
  }

  async #renew(): Promise<void> {
    try {
      if (await this.#options.renewConfiguration()) this.#isOutdated = true;
    } catch (error) {
      if (!this.#isStopped) this.#options.onFailed(error);
    }
    if (this.#isOutdated && !this.#isStopped) {
      this.#isOutdated = !(await this.tryToRotate(
        "managed_configuration",
        "The organisation's configuration has changed.",
      ));
    }
    this.scheduleRenewal();
  }
}
