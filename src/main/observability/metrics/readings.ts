/** Metrics that are read at each scrape, and kept nowhere between two of them. */
import { Counter, Gauge, type Registry } from "prom-client";
import { toAmount } from "./naming.js";

/** One series of a metric that has labels. */
export type Sample = readonly [value: number | null, labels: Readonly<Record<string, string>>];

/** Null: the value is not known, so there is no series; 0 would be a claim. */
export type Reading = number | null | readonly Sample[];

export interface MetricTable<Name extends string> {
  /** Help texts. A metric whose name ends with `_total` is a counter, any other a gauge. */
  readonly help: Readonly<Record<Name, string>>;
  /** Names of labels, of those metrics that have some. */
  readonly labels: Readonly<Partial<Record<Name, readonly string[]>>>;
  /** Comes before all names. */
  readonly prefix: string;
}

/** Registers the metrics of a table, and brings all of them up to date at once. */
export class ReadMetrics<Name extends string> {
  readonly #metrics = new Map<string, Counter | Gauge>();

  constructor(registry: Registry, { help: texts, labels, prefix }: MetricTable<Name>) {
    const labelsOf = new Map<string, readonly string[] | undefined>(Object.entries(labels));
    for (const [name, help] of Object.entries<string>(texts)) {
      const settings = {
        name: prefix + name,
        help,
        labelNames: labelsOf.get(name) ?? [],
        registers: [registry],
      };
      this.#metrics.set(name, name.endsWith("_total") ? new Counter(settings) : new Gauge(settings));
    }
  }

  /** Series that are not in `readings` disappear. */
  update(readings: Readonly<Record<Name, Reading>>): void {
    for (const [name, reading] of Object.entries<Reading>(readings)) {
      const metric = this.#metrics.get(name);
      metric?.reset();
      const samples: readonly Sample[] = Array.isArray(reading) ? reading : [[reading, {}]];
      for (const [value, labels] of samples) {
        if (value === null) metric?.remove(labels);
        else metric?.inc(labels, toAmount(value));
      }
    }
  }
}
