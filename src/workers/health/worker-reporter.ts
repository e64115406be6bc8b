import { monitorEventLoopDelay } from "node:perf_hooks";
import type { WorkerReport } from "../contract/control-messages.js";

export interface WorkerReporterOptions {
  readonly intervalMs: number;
  readonly send: (report: WorkerReport) => void;
  readonly reconnects: () => number;
  readonly hangingCalls: () => number;
}

const nanosecondsPerMillisecond = 1e6;
/** Resolution of the delay histogram; its timer's own period is part of what it measures. */
const resolutionMs = 20;

/** Counts what a worker does and says so at a steady pace. */
export class WorkerReporter {
  readonly #options: WorkerReporterOptions;
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #faults = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #activeTurns = 0;
  #completedTurns = 0;

  constructor(options: WorkerReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#delay.enable();
    this.#timer ??= setInterval(() => this.report(), this.#options.intervalMs);
    this.report();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#delay.disable();
  }

  turnStarted(): void {
    this.#activeTurns += 1;
  }

  turnEnded(): void {
    this.#activeTurns -= 1;
    this.#completedTurns += 1;
  }

  readonly countFault = (name: string): void => {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1);
  };

  report(): void {
    const meanMs = this.#delay.mean / nanosecondsPerMillisecond - resolutionMs;
    this.#delay.reset();
    this.#options.send({
      activeTurns: this.#activeTurns,
      completedTurns: this.#completedTurns,
      reconnects: this.#options.reconnects(),
      hangingCalls: this.#options.hangingCalls(),
      eventLoopDelayMs: Number.isFinite(meanMs) ? Math.max(0, Math.round(meanMs * 100) / 100) : 0,
      faults: Object.fromEntries(this.#faults),
    });
  }
}
