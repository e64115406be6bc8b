/**
 * The process itself, under the names of prom-client's `collectDefaultMetrics`, which dashboards know. That function is not used: it
 * starts an event-loop monitor and a GC observer that nothing can stop, so each start of a service would leave one of each behind.
 */
import { readdir, readFile } from "node:fs/promises";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { Histogram, type Registry } from "prom-client";
import { isJsonObject } from "../../../workers/contract/json.js";
import { LoopDelay } from "./loop-delay.js";
import { toSeconds } from "./naming.js";
import { ReadMetrics } from "./readings.js";

const microsecondsPerSecond = 1e6;
const gcBuckets = [0.001, 0.01, 0.1, 1, 2, 5];
const gcKinds: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

const help = {
  process_start_time_seconds: "When the process started, in Unix time.",
  process_cpu_user_seconds_total: "User CPU time, of all threads.",
  process_cpu_system_seconds_total: "System CPU time, of all threads.",
  process_cpu_seconds_total: "CPU time, of all threads.",
  process_resident_memory_bytes: "Memory of the process, all threads.",
  process_open_fds: "Open file descriptors.",
  process_max_fds: "Most file descriptors that may be open.",
  nodejs_heap_size_total_bytes: "Heap of the main thread.",
  nodejs_heap_size_used_bytes: "Used heap of the main thread.",
  nodejs_external_memory_bytes: "Memory outside the heap, of the main thread.",
  nodejs_active_resources: "What keeps the main thread's event loop alive, by type.",
  nodejs_eventloop_lag_mean_seconds: describeDelay("mean"),
  nodejs_eventloop_lag_max_seconds: describeDelay("max"),
  nodejs_eventloop_lag_p50_seconds: describeDelay("p50"),
  nodejs_eventloop_lag_p90_seconds: describeDelay("p90"),
  nodejs_eventloop_lag_p99_seconds: describeDelay("p99"),
  nodejs_version_info: "Always 1; the version of Node.",
};

const labels = {
  nodejs_active_resources: ["type"],
  nodejs_version_info: ["version", "major", "minor", "patch"],
};

function describeDelay(reading: string): string {
  return `Delay of the main thread's event loop since the last scrape, while there was work, ${reading}.`;
}

export class ProcessMetrics {
  readonly #delay: LoopDelay;
  readonly #gcObserver: PerformanceObserver;
  readonly #metrics: ReadMetrics<keyof typeof help>;
  readonly #startedAtSeconds = Math.round(Date.now() / 1000 - process.uptime());
  #isRunning = false;

  /** @param isBusy whether noted work still runs. */
  constructor(registry: Registry, isBusy: () => boolean) {
    this.#delay = new LoopDelay(isBusy);
    this.#metrics = new ReadMetrics(registry, { help, labels, prefix: "" });
    const gc = new Histogram({
      name: "nodejs_gc_duration_seconds",
      help: "Garbage collections of the main thread.",
      labelNames: ["kind"],
      buckets: gcBuckets,
      registers: [registry],
    });
    this.#gcObserver = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) gc.observe({ kind: gcKindOf(entry) }, toSeconds(entry.duration));
    });
  }

  start(): void {
    this.#isRunning = true;
    this.#gcObserver.observe({ entryTypes: ["gc"] });
  }

  close(): void {
    this.#isRunning = false;
    this.#delay.stop();
    this.#gcObserver.disconnect();
  }

  /** A request has come: the event loop's delay is measured for a while. */
  noteWork(): void {
    if (this.#isRunning) this.#delay.noteWork();
  }

  async read(): Promise<void> {
    const files = await readOpenFiles();
    const { user, system } = process.cpuUsage();
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    // Since the last time, so that a scrape shows its own interval.
    const delay = this.#delay.read();
    const [major = "", minor = "", patch = ""] = process.versions.node.split(".");
    this.#metrics.update({
      process_start_time_seconds: this.#startedAtSeconds,
      process_cpu_user_seconds_total: user / microsecondsPerSecond,
      process_cpu_system_seconds_total: system / microsecondsPerSecond,
      process_cpu_seconds_total: (user + system) / microsecondsPerSecond,
      process_resident_memory_bytes: rss,
      process_open_fds: files.open,
      process_max_fds: files.max,
      nodejs_heap_size_total_bytes: heapTotal,
      nodejs_heap_size_used_bytes: heapUsed,
      nodejs_external_memory_bytes: external,
      nodejs_active_resources: process.getActiveResourcesInfo().map((type) => [1, { type }]),
      nodejs_eventloop_lag_mean_seconds: delay.mean,
      nodejs_eventloop_lag_max_seconds: delay.max,
      nodejs_eventloop_lag_p50_seconds: delay.p50,
      nodejs_eventloop_lag_p90_seconds: delay.p90,
      nodejs_eventloop_lag_p99_seconds: delay.p99,
      nodejs_version_info: [[1, { version: process.version, major, minor, patch }]],
    });
  }
}

/** Only Linux has these files; elsewhere neither metric has a series. */
async function readOpenFiles(): Promise<{ readonly open: number | null; readonly max: number | null }> {
  const [open, limits] = await Promise.all([
    readdir("/proc/self/fd").then(
      // One of them is this reading's own.
      (names) => names.length - 1,
      () => null,
    ),
    readFile("/proc/self/limits", "utf8").catch(() => ""),
  ]);
  const max = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return { open, max: max === undefined ? null : Number(max) };
}

/** Node's types leave out `detail`, which has the kind of a garbage collection. */
function gcKindOf(entry: object): string {
  const detail = "detail" in entry ? entry.detail : null;
  return gcKinds.get(isJsonObject(detail) ? detail.kind : null) ?? "other";
}
