import { monitorEventLoopDelay } from "node:perf_hooks";
import { toAmount } from "./naming.js";

/** Period of the monitor's timer, which is part of what it measures. */
const resolutionMs = 20;
const nanosecondsPerSecond = 1e9;
/** How often it checks whether there is still work. */
const lookEveryMs = 10_000;

/**
 * Measures the delay of the event loop while there is work: the monitor wakes the process fifty times a second, which was half of what
 * an idle service cost.
 */
export class LoopDelay {
  readonly #monitor = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #isBusy: () => boolean;
  #timer: NodeJS.Timeout | null = null;
  #hasWorked = false;

  /** @param isBusy whether noted work still runs; asked every ten seconds. */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  get isMeasuring(): boolean {
    return this.#timer !== null;
  }

  /** There is work: measures until there has been none for a while. */
  noteWork(): void {
    this.#hasWorked = true;
    if (this.#timer !== null) return;
    this.#monitor.enable();
    this.#timer = setInterval(() => {
      if (!this.#hasWorked && !this.#isBusy()) this.stop();
      this.#hasWorked = false;
    }, lookEveryMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#monitor.disable();
  }

  /** In seconds, since the last time; 0 where nothing was measured. */
  read() {
    const monitor = this.#monitor;
    const periodNs = resolutionMs * 1e6;
    const toDelay = (ns: number) => toAmount(ns - periodNs) / nanosecondsPerSecond;
    const delays = {
      mean: toDelay(monitor.mean),
      max: toDelay(monitor.max),
      p50: toDelay(monitor.percentile(50)),
      p90: toDelay(monitor.percentile(90)),
      p99: toDelay(monitor.percentile(99)),
    };
    monitor.reset();
    return delays;
  }
}
