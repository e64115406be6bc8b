import { Registry } from "prom-client";
import type { MetricsPage, MetricsSink, ServerReadings } from "../../http/metrics-sink.js";
import type { NativeRuntimeHealth, NativeRuntimeObserver } from "../../runtime/types.js";
import { createHttpMetrics } from "./http-metrics.js";
import type { ReadCatalog } from "./naming.js";
import { ProcessMetrics } from "./process-metrics.js";
import { ReadMetrics } from "./readings.js";
import { type RegistrySize, readRuntime, runtimeMetrics } from "./runtime-readings.js";
import { createTurnMetrics } from "./turn-metrics.js";

export interface ServiceMetricsSources {
  /** Version of this service. */
  readonly version: string;
  /** Must not wait for Codex. */
  readonly health: () => NativeRuntimeHealth;
  readonly continuation: () => RegistrySize;
  /** The models that may be named in labels. */
  readonly readCatalog: ReadCatalog;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
}

/** The metrics of one service, in a registry of their own: two services in one process share no number but the process's. */
export class ServiceMetrics implements MetricsSink, NativeRuntimeObserver {
  readonly #sources: ServiceMetricsSources;
  readonly #registry = new Registry();
  readonly observeRequest: MetricsSink["observeRequest"];
  readonly onTurnEnded: NativeRuntimeObserver["onTurnEnded"];
  readonly #runtime: ReadMetrics<keyof ReturnType<typeof readRuntime>>;
  readonly #process: ProcessMetrics;

  constructor(sources: ServiceMetricsSources) {
    this.#sources = sources;
    this.observeRequest = createHttpMetrics(this.#registry);
    this.onTurnEnded = createTurnMetrics(this.#registry, sources.readCatalog);
    this.#runtime = new ReadMetrics(this.#registry, runtimeMetrics);
    this.#process = new ProcessMetrics(this.#registry, () => {
      const { depth, running } = sources.health().queue;
      return depth + running > 0;
    });
  }

  /** Begins to watch event loop and garbage collection. Neither keeps a process alive. */
  start(): void {
    this.#process.start();
  }

  /** Stops watching. What was counted can still be read. */
  close(): void {
    this.#process.close();
  }

  noteRequest(): void {
    this.#process.noteWork();
  }

  async render(server: ServerReadings): Promise<MetricsPage> {
    const { version, health, continuation, wallClock } = this.#sources;
    const state = { version, health: health(), continuation: continuation(), server, nowMs: wallClock() };
    this.#runtime.update(readRuntime(state));
    await this.#process.read();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
