import type { CodexFacts, InstalledFacts } from "./codex-facts.js";
import type { WorkerSlot } from "./pool/worker-slot.js";

export interface FactsReaderOptions {
  readonly facts: CodexFacts;
  /** A worker that can ask; null while there is none, and its coming asks anew. */
  readonly findSlot: () => WorkerSlot | null;
  readonly installed: () => InstalledFacts;
  readonly onRead: (appServerGeneration: number) => void;
  readonly onFailed: (error: unknown) => void;
}

const firstPauseMs = 250;
const maxPauseMs = 5_000;

/** Asks Codex who is logged in and what models there are, again until it says so. */
export class FactsReader {
  readonly #options: FactsReaderOptions;
  #wanted = 0;
  #reading = false;
  #wake = (): void => {};
  #stopped = false;

  constructor(options: FactsReaderOptions) {
    this.#options = options;
  }

  /** Whoever asks while an answer is under way gets another: what it tells may be from before. Never rejects. */
  async read(): Promise<void> {
    this.#wanted += 1;
    this.#wake();
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
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    }
    this.#reading = false;
  }

  /** Asks no more. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Ends early when somebody asks: a worker may have come that knows. */
  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #readOnce(): Promise<"read" | "failed" | "nobody"> {
    const { facts, findSlot, installed, onRead, onFailed } = this.#options;
    const slot = findSlot();
    if (slot === null) return "nobody";
    const generation = slot.appServerGeneration;
    try {
      await facts.readEssentials(slot, installed());
    } catch (error) {
      if (findSlot() === null) return "nobody";
      onFailed(error);
      return "failed";
    }
    // An app-server that was replaced meanwhile: the connection to its successor asks anew.
    if (generation === slot.appServerGeneration && slot.ready) onRead(generation);
    return "read";
  }
}
