import type { CodexFacts } from "./codex-facts.js";
import type { PlanWindows } from "./plan-windows.js";
import type { WorkerSlot } from "./pool/worker-slot.js";

export interface UpkeepOptions {
  readonly facts: Pick<CodexFacts, "readLoadedThreads">;
  readonly windows: Pick<PlanWindows, "refresh">;
  /** A worker that can ask; null while turns cannot run. */
  readonly findSlot: () => WorkerSlot | null;
  /** Looks at what is on disk. Never rejects. */
  readonly inspectDisk: () => Promise<unknown>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

const lookEveryMs = 5_000;
/** While Codex does nothing, in milliseconds. */
const inspectIdleEveryMs = 15_000;

/**
 * Keeps up with what only health shows, and with what an app-server has on disk. Codex is asked after turns and when somebody looks at
 * health: while neither happens nothing changes that is worth a question.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #timer: NodeJS.Timeout | null = null;
  /** Whether Codex did something since it was asked last. */
  #hasWorked = false;
  #isAsking = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #inspectedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** A turn is over, or a thread was started. */
  noteWork(): void {
    this.#hasWorked = true;
  }

  /** Codex is ready: what is there is seen at once. */
  noteReady(): void {
    this.#hasWorked = true;
    this.#look();
  }

  /** Somebody looks at health: what is old is read in the background, for the next look. */
  noteOnlooker(): void {
    this.#options.windows.refresh();
    if (this.#options.now() - this.#askedAtMs >= lookEveryMs) void this.#countThreads();
  }

  #look(): void {
    const { now, findSlot, inspectDisk } = this.#options;
    if (findSlot() === null) return;
    if (this.#hasWorked || now() - this.#inspectedAtMs >= inspectIdleEveryMs) {
      this.#inspectedAtMs = now();
      void inspectDisk();
    }
    if (!this.#hasWorked) return;
    this.#hasWorked = false;
    // Fresh already where Codex told of them after the turn.
    this.#options.windows.refresh();
    void this.#countThreads();
  }

  async #countThreads(): Promise<void> {
    const slot = this.#options.findSlot();
    if (slot === null || this.#isAsking) return;
    this.#isAsking = true;
    this.#askedAtMs = this.#options.now();
    await this.#options.facts.readLoadedThreads(slot);
    this.#isAsking = false;
  }
}
