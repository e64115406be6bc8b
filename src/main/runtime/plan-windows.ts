import { settlesWithin } from "../../workers/contract/wait.js";
import type { CodexFacts } from "./codex-facts.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { RateLimits } from "./types.js";

export interface PlanWindowsOptions {
  readonly facts: Pick<CodexFacts, "noteRateLimits" | "readRateLimits">;
  /** A worker that can ask; null while there is none. */
  readonly findSlot: () => WorkerSlot | null;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** What was heard within this time is told as it is, in milliseconds. */
const freshForMs = 300_000;
/** After a read that failed, in milliseconds. */
const retryAfterMs = 30_000;
const readTimeoutMs = 10_000;

/**
 * Keeps the plan's windows known, and asks as little as it can: each read is two requests of Codex's to the backend. Codex tells
 * of the windows after each turn. They are read when somebody wants to know and nothing was heard of them for five minutes.
 */
export class PlanWindows {
  readonly #options: PlanWindowsOptions;
  #freshUntilMs = Number.NEGATIVE_INFINITY;
  /** Under way, for all who ask meanwhile. */
  #reading: Promise<void> | null = null;
  #accountId: string | null = null;
  /** What is read now may be another account's. */
  #isOutdated = false;

  constructor(options: PlanWindowsOptions) {
    this.#options = options;
  }

  /** Codex told of them by itself. */
  noteTold(rateLimits: RateLimits): void {
    this.#options.facts.noteRateLimits(rateLimits);
    this.#freshUntilMs = this.#options.now() + freshForMs;
  }

  /** Codex said who is logged in: another account has windows of its own. */
  noteAccount(accountId: string | null): void {
    if (accountId === this.#accountId) return;
    this.#accountId = accountId;
    this.#freshUntilMs = Number.NEGATIVE_INFINITY;
    this.#isOutdated = true;
  }

  /** Somebody wants to know: starts a read unless they are known well enough. Returns at once. */
  refresh(): void {
    if (this.#options.now() >= this.#freshUntilMs) void this.#read();
  }

  /** Reads them, or joins the read under way. Resolves when they are known, or after `timeoutMs`; never rejects. */
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
    const { facts, findSlot, now } = this.#options;
    do {
      this.#isOutdated = false;
      const slot = findSlot();
      if (slot === null) return;
      const isRead = await facts.readRateLimits(slot, readTimeoutMs);
      this.#freshUntilMs = Math.max(this.#freshUntilMs, now() + (isRead ? freshForMs : retryAfterMs));
    } while (this.#isOutdated);
  }
}
