import { createDeferred, waitWithin } from "../../../workers/contract/wait.js";
import type { WorkerSlot } from "../workers/worker-slot.js";
import type { CodexFacts, InstalledFacts } from "./codex-facts.js";

export interface FactsReaderOptions {
  readonly facts: CodexFacts;
  /** A worker that can ask; null if there is none. Call `read` again when one becomes ready. */
  readonly findSlot: () => WorkerSlot | null;
  readonly installation: InstalledFacts;
  readonly onRead: (appServerGeneration: number) => void;
  readonly onFailed: (error: unknown) => void;
}

const firstPauseMs = 250;
const maxPauseMs = 5_000;

/** Asks Codex about account and models, and retries until it answers. */
export class FactsReader {
  readonly #options: FactsReaderOptions;
  #wanted = 0;
  #reading = false;
  #woken = createDeferred<void>();
  #stopped = false;

  constructor(options: FactsReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads the facts. A call during a running read causes another one after it, since the first may be outdated. Never
   * rejects.
   */
  async read(): Promise<void> {
    this.#wanted += 1;
    this.#woken.resolve();
    if (this.#reading) return;
    this.#reading = true;
    let pauseMs = firstPauseMs;
    for (let served = 0; served !== this.#wanted && !this.#stopped; ) {
      const wanted = this.#wanted;
      const outcome = await this.#readOnce();
      if (outcome !== "failed") {
        served = wanted;
        continue;
      }
      // Another call of `read` ends the pause: a worker may have become ready that can answer.
      this.#woken = createDeferred();
      await waitWithin(this.#woken.promise, { timeoutMs: pauseMs, unref: true }, () => {});
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    }
    this.#reading = false;
  }

  /** Starts no more reads. */
  stop(): void {
    this.#stopped = true;
    this.#woken.resolve();
  }

  async #readOnce(): Promise<"read" | "failed" | "no_worker"> {
    const { facts, findSlot, installation, onRead, onFailed } = this.#options;
    const slot = findSlot();
    if (slot === null) return "no_worker";
    const generation = slot.appServerGeneration;
    try {
      await facts.readEssentials(slot, installation);
    } catch (error) {
      if (findSlot() === null) return "no_worker";
      onFailed(error);
      return "failed";
    }
    // If the app-server was replaced meanwhile, the connection to the new one causes another read.
    if (generation === slot.appServerGeneration && slot.ready) onRead(generation);
    return "read";
  }
}
