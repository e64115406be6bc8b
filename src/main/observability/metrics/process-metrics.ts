/**
 * The process itself, under the names that prom-client's `collectDefaultMetrics` gave the world. Not that function: it starts an
 * event-loop monitor and a GC observer that nothing can stop, so each start of a service would leave one of each behind.
 */
import { readdir, readFile } from "node:fs/promises";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { isJsonObject } from "../../../workers/contract/json.js";
import { type DelayReading, LoopDelay } from "./loop-delay.js";
import { setOrRemove, toSeconds } from "./naming.js";

const microsecondsPerSecond = 1e6;
const gcBuckets = [0.001, 0.01, 0.1, 1, 2, 5];
const gcKinds: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

export class ProcessMetrics {
  readonly #registry: Registry;
  readonly #delay: LoopDelay;
  readonly #gcObserver: PerformanceObserver;
  readonly #gc: Histogram<"kind">;
  readonly #cpu: Readonly<Record<"user" | "system" | "all", Counter>>;
  readonly #delays: Readonly<Record<DelayReading, Gauge>>;
  readonly #residentMemory: Gauge;
  readonly #heapTotal: Gauge;
  readonly #heapUsed: Gauge;
  readonly #external: Gauge;
  readonly #resources: Gauge<"type">;
  readonly #openFiles: Gauge;
  readonly #maxFiles: Gauge;

  #isRunning = false;

  /** @param isBusy whether work that was noted goes on. */
  constructor(registry: Registry, isBusy: () => boolean) {
    this.#registry = registry;
    this.#delay = new LoopDelay(isBusy);
    const startedAt = this.#gauge("process_start_time_seconds", "When the process started, in Unix time.");
    startedAt.set(Math.round(Date.now() / 1000 - process.uptime()));
    this.#cpu = {
      user: this.#counter("process_cpu_user_seconds_total", "User CPU time, of all threads."),
      system: this.#counter("process_cpu_system_seconds_total", "System CPU time, of all threads."),
      all: this.#counter("process_cpu_seconds_total", "CPU time, of all threads."),
    };
    this.#residentMemory = this.#gauge(
      "process_resident_memory_bytes",
      "Memory of the process, all threads.",
    );
    this.#openFiles = this.#gauge("process_open_fds", "Open file descriptors.");
    this.#maxFiles = this.#gauge("process_max_fds", "Most file descriptors that may be open.");
    this.#heapTotal = this.#gauge("nodejs_heap_size_total_bytes", "Heap of the main thread.");
    this.#heapUsed = this.#gauge("nodejs_heap_size_used_bytes", "Used heap of the main thread.");
    this.#external = this.#gauge(
      "nodejs_external_memory_bytes",
      "Memory outside the heap, of the main thread.",
    );
    this.#resources = new Gauge({
      name: "nodejs_active_resources",
      help: "What keeps the main thread's event loop alive, by type.",
      labelNames: ["type"],
      registers: [registry],
    });
    this.#delays = {
      mean: this.#delayGauge("mean"),
      max: this.#delayGauge("max"),
      p50: this.#delayGauge("p50"),
      p90: this.#delayGauge("p90"),
      p99: this.#delayGauge("p99"),
    };
    this.#gc = new Histogram({
      name: "nodejs_gc_duration_seconds",
      help: "Garbage collections of the main thread.",
      labelNames: ["kind"],
      buckets: gcBuckets,
      registers: [registry],
    });
    this.#gcObserver = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        this.#gc.observe({ kind: gcKindOf(entry) }, toSeconds(entry.duration));
      }
    });
    this.#describeNode();
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

  /** There is something to do, of which the event loop's delay tells. */
  noteWork(): void {
    if (this.#isRunning) this.#delay.noteWork();
  }

  async read(): Promise<void> {
    this.#readCpu();
    this.#readMemory();
    this.#readDelay();
    this.#readResources();
    await this.#readFiles();
  }

  #readCpu(): void {
    const { user, system } = process.cpuUsage();
    const readings = { user, system, all: user + system };
    for (const part of ["user", "system", "all"] as const) {
      this.#cpu[part].reset();
      this.#cpu[part].inc(readings[part] / microsecondsPerSecond);
    }
  }

  #readMemory(): void {
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    this.#residentMemory.set(rss);
    this.#heapTotal.set(heapTotal);
    this.#heapUsed.set(heapUsed);
    this.#external.set(external);
  }

  /** Since the last time, so that a scrape shows its own interval. */
  #readDelay(): void {
    const delay = this.#delay.read();
    for (const reading of ["mean", "max", "p50", "p90", "p99"] as const) {
      this.#delays[reading].set(delay[reading]);
    }
  }

  #readResources(): void {
    this.#resources.reset();
    for (const type of process.getActiveResourcesInfo()) this.#resources.inc({ type });
  }

  /** Only Linux tells; elsewhere both have no series. */
  async #readFiles(): Promise<void> {
    const [open, limits] = await Promise.all([
      readdir("/proc/self/fd").then(
        // One of them is this reading's own.
        (names) => names.length - 1,
        () => null,
      ),
      readFile("/proc/self/limits", "utf8").catch(() => ""),
    ]);
    const max = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    setOrRemove(this.#openFiles, open);
    setOrRemove(this.#maxFiles, max === undefined ? null : Number(max));
  }

  #describeNode(): void {
    const [major = "", minor = "", patch = ""] = process.version.slice(1).split(".");
    const info = new Gauge({
      name: "nodejs_version_info",
      help: "Always 1; the version of Node.",
      labelNames: ["version", "major", "minor", "patch"],
      registers: [this.#registry],
    });
    info.set({ version: process.version, major, minor, patch }, 1);
  }

  #delayGauge(reading: DelayReading): Gauge {
    const help = `Delay of the main thread's event loop since the last scrape, while there was work, ${reading}.`;
    return this.#gauge(`nodejs_eventloop_lag_${reading}_seconds`, help);
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] });
  }
}

/** The types of Node say nothing of what garbage collections tell beside their length. */
function gcKindOf(entry: object): string {
  const detail = "detail" in entry ? entry.detail : null;
  return gcKinds.get(isJsonObject(detail) ? detail.kind : null) ?? "other";
}
