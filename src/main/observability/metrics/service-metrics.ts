import { Registry } from "prom-client";
import type { MetricsPage, MetricsSink, RequestObservation } from "../../http/metrics-sink.js";
import type { NativeRuntimeHealth, NativeRuntimeObserver, TurnObservation } from "../../runtime/types.js";
import { HttpMetrics } from "./http-metrics.js";
import type { ReadCatalog } from "./naming.js";
import { ProcessMetrics } from "./process-metrics.js";
import { type RegistrySize, RuntimeReadings } from "./runtime-readings.js";
import { TurnMetrics } from "./turn-metrics.js";

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
  readonly #http: HttpMetrics;
  readonly #turns: TurnMetrics;
  readonly #readings: RuntimeReadings;
  readonly #process: ProcessMetrics;

  constructor(sources: ServiceMetricsSources) {
    this.#sources = sources;
    this.#http = new HttpMetrics(this.#registry);
    this.#turns = new TurnMetrics(this.#registry, sources.readCatalog);
    this.#readings = new RuntimeReadings(this.#registry, sources.version);
    this.#process = new ProcessMetrics(this.#registry, () => hasTurns(sources.health()));
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

  observeRequest(observation: RequestObservation): void {
    this.#http.observe(observation);
  }

  onTurnEnded(observation: TurnObservation): void {
    this.#turns.observe(observation);
  }

  async render(): Promise<MetricsPage> {
    this.#readings.read(this.#sources.health(), this.#sources.continuation(), this.#sources.wallClock());
    await this.#process.read();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

function hasTurns({ queue: { depth, running } }: NativeRuntimeHealth): boolean {
  return depth + running > 0;
}
