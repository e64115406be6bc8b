import type { WorkerSlot } from "../workers/worker-slot.js";
import type { PlanWindows } from "./plan-windows.js";

export interface UpkeepOptions {
  /** Asks Codex for what only health shows. Never rejects. */
  readonly readDetails: (slot: WorkerSlot) => Promise<unknown>;
  readonly windows: Pick<PlanWindows, "refresh">;
  /** A worker that can ask; null while turns cannot run. */
  readonly findSlot: () => WorkerSlot | null;
  /** Checks Codex's files on disk. Never rejects. */
  readonly inspectDisk: () => Promise<unknown>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

const checkEveryMs = 5_000;
/** How often to check the disk while Codex is idle, in milliseconds. */
const inspectIdleEveryMs = 15_000;

/**
 * Updates the values that only health shows, and checks the app-server's files on disk. It asks Codex after turns and when
 * health is read; at other times nothing relevant changes.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #timer: NodeJS.Timeout | null = null;
  /** Whether Codex was active since the last question. */
  #hasWorked = false;
  #workedAtMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #inspectedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#check(), checkEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** When Codex was last asked for something that may take it time, on the clock of `now`. */
  get workedAtMs(): number {
    return this.#workedAtMs;
  }

  /** Call when a turn has ended or a thread was started. */
  noteWork(): void {
    this.#hasWorked = true;
    this.#workedAtMs = this.#options.now();
  }

  /** Call when Codex becomes ready. Asks for all values at once. */
  noteReady(): void {
    this.noteWork();
    this.#check();
  }

  /** Call when health is read. Updates old values in the background, for the next read. */
  noteHealthRead(): void {
    this.#options.windows.refresh();
    if (this.#options.now() - this.#askedAtMs >= checkEveryMs) void this.#askDetails();
  }

  #check(): void {
    const { now, findSlot, inspectDisk } = this.#options;
    if (findSlot() === null) return;
    if (this.#hasWorked || now() - this.#inspectedAtMs >= inspectIdleEveryMs) {
      this.#inspectedAtMs = now();
      void inspectDisk();
    }
    if (!this.#hasWorked) return;
    this.#hasWorked = false;
    // Reads nothing if Codex has just reported them after the turn.
    this.#options.windows.refresh();
    void this.#askDetails();
  }

  async #askDetails(): Promise<void> {
    const slot = this.#options.findSlot();
    if (slot === null || this.#isAsking) return;
    this.#isAsking = true;
    this.#askedAtMs = this.#options.now();
    await this.#options.readDetails(slot);
    this.#isAsking = false;
  }
}
