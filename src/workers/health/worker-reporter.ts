import { monitorEventLoopDelay } from "node:perf_hooks";
import type { WorkerReport } from "../contract/control-messages.js";

export interface WorkerReporterOptions {
  readonly intervalMs: number;
  readonly send: (report: WorkerReport) => void;
  readonly reconnects: () => number;
  readonly hangingCalls: () => number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

const nanosecondsPerMillisecond = 1e6;
/** Resolution of the delay histogram; its timer's own period is part of what it measures. */
const resolutionMs = 20;

/**
 * Counts what a worker does and reports it at a steady pace. The delay of its event loop is measured only while it has turns, since the
 * monitor wakes the thread fifty times a second. Between turns a late report shows a loop that was held up.
 */
export class WorkerReporter {
  readonly #options: WorkerReporterOptions;
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #faults = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #activeTurns = 0;
  #completedTurns = 0;
  #isMeasuring = false;
  /** Whether a turn has begun since the last report. */
  #hasBegun = false;
  #reportedAtMs: number | null = null;

  constructor(options: WorkerReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.report(), this.#options.intervalMs);
    this.report();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopMeasuring();
  }

  turnStarted(): void {
    this.#activeTurns += 1;
    this.#hasBegun = true;
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    this.#delay.enable();
  }

  turnEnded(): void {
    this.#activeTurns -= 1;
    this.#completedTurns += 1;
  }

  readonly countFault = (name: string): void => {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
  };

  report(): void {
    const eventLoopDelayMs = Math.round(this.#readDelayMs() * 100) / 100;
    if (this.#activeTurns === 0 && !this.#hasBegun) this.#stopMeasuring();
    this.#hasBegun = false;
    this.#options.send({
      activeTurns: this.#activeTurns,
      completedTurns: this.#completedTurns,
      reconnects: this.#options.reconnects(),
      hangingCalls: this.#options.hangingCalls(),
      eventLoopDelayMs,
      faults: Object.fromEntries(this.#faults),
    });
  }

  #readDelayMs(): number {
    const { now, intervalMs } = this.#options;
    const sinceMs = now() - (this.#reportedAtMs ?? now() - intervalMs);
    this.#reportedAtMs = now();
    const meanMs = this.#delay.mean / nanosecondsPerMillisecond - resolutionMs;
    this.#delay.reset();
    return Math.max(0, this.#isMeasuring && Number.isFinite(meanMs) ? meanMs : sinceMs - intervalMs);
  }

  #stopMeasuring(): void {
    this.#isMeasuring = false;
    this.#delay.disable();
  }
}
