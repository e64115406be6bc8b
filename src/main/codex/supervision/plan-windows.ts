import { settlesWithin } from "../../../workers/contract/wait.js";
import type { RateLimits } from "../../runtime/types.js";
import type { WorkerSlot } from "../workers/worker-slot.js";
import type { CodexFacts } from "./codex-facts.js";

export interface PlanWindowsOptions {
  readonly facts: Pick<CodexFacts, "noteRateLimits" | "readRateLimits" | "windowOpensInMs">;
  /** What was read is in `facts` now. Also called for a read that outlasted the wait of all who asked for it. */
  readonly onRead: () => void;
  /** A worker that can ask; null while there is none. */
  readonly findSlot: () => WorkerSlot | null;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** How long values are used without another read, in milliseconds. */
const freshForMs = 300_000;
/** Wait after a failed read, in milliseconds. */
const retryAfterMs = 30_000;
const readTimeoutMs = 10_000;
/** How long a caller waits for a read, in milliseconds. */
const callerTimeoutMs = 2_000;

/**
 * Keeps the plan windows up to date with as few reads as possible, since each read costs two requests to the backend. Codex
 * reports the windows after each turn. They are read only when they are needed and Codex has not reported them for five
 * minutes.
 */
export class PlanWindows {
  readonly #options: PlanWindowsOptions;
  #freshUntilMs = Number.NEGATIVE_INFINITY;
  /** The running read, which later calls join. */
  #reading: Promise<void> | null = null;
  #accountId: string | null = null;
  /** Whether the account changed during the running read, whose result may be the old account's. */
  #isOutdated = false;

  constructor(options: PlanWindowsOptions) {
    this.#options = options;
  }

  /** Takes a notification from Codex. */
  noteReported(rateLimits: RateLimits): void {
    this.#options.facts.noteRateLimits(rateLimits);
    this.#freshUntilMs = this.#options.now() + freshForMs;
  }

  /** Takes the current account. If it has changed, the known windows are no longer fresh. */
  noteAccount(accountId: string | null): void {
    if (accountId === this.#accountId) return;
    this.#accountId = accountId;
    this.#freshUntilMs = Number.NEGATIVE_INFINITY;
    this.#isOutdated = true;
  }

  /** Starts a read in the background unless the windows are fresh. */
  refresh(): void {
    if (this.#options.now() >= this.#freshUntilMs) void this.#read();
  }

  /**
   * Milliseconds until the plan's used-up window opens again; null if unknown. Asks Codex if nothing is known, or always with
   * `fresh`, and waits two seconds at most. Never rejects.
   */
  async opensInMs({ fresh }: { readonly fresh: boolean }): Promise<number | null> {
    const { facts } = this.#options;
    const known = facts.windowOpensInMs(Date.now());
    if (known !== null && !fresh) return known;
    await this.read(callerTimeoutMs);
    return facts.windowOpensInMs(Date.now());
  }

  /** Reads the windows, or joins the running read. Resolves when it has finished, or after `timeoutMs`; never rejects. */
  async read(timeoutMs: number): Promise<void> {
    await settlesWithin(this.#read(), timeoutMs);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readLatest().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readLatest(): Promise<void> {
    const { facts, findSlot, now, onRead } = this.#options;
    do {
      this.#isOutdated = false;
      const slot = findSlot();
      if (slot === null) return;
      const isRead = await facts.readRateLimits(slot, readTimeoutMs);
      this.#freshUntilMs = Math.max(this.#freshUntilMs, now() + (isRead ? freshForMs : retryAfterMs));
      if (isRead && !this.#isOutdated) onRead();
    } while (this.#isOutdated);
  }
}
