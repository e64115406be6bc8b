import { readFileSync } from "node:fs";

/** Time of the processor that this thread has had, in milliseconds; where the system does not say, time as it passes. */
function spentMs(): number {
  try {
    // Of the process's first thread, which runs the tests.
    const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8");
    return Number(text.split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/**
 * Finds the longest stretch for which this thread's event loop was blocked. Counted is the time of the processor that the thread
 * had meanwhile, for on a machine with other work nothing else says what the thread itself did.
 */
export class LoopWatch {
  #isOn = false;
  #longestMs = 0;
  #lastMs = 0;

  start(): void {
    this.#isOn = true;
    this.#longestMs = 0;
    this.#lastMs = spentMs();
    setImmediate(this.#look);
  }

  /** The longest since the start, in milliseconds. */
  stop(): number {
    this.#isOn = false;
    return this.#longestMs;
  }

  readonly #look = (): void => {
    if (!this.#isOn) return;
    this.#longestMs = Math.max(this.#longestMs, spentMs() - this.#lastMs);
    this.#lastMs = spentMs();
    setImmediate(this.#look);
  };
}
