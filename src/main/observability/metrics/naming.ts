/** How numbers get into metrics, and under what names. */
import type { Gauge } from "prom-client";

/** Of all metrics of this service's own; those of the process have the names that Node's dashboards know. */
export const prefix = "codex_native_api_";

export function toSeconds(ms: number): number {
  return toAmount(ms) / 1000;
}

/** prom-client throws on what is no amount, and observers must not throw. */
export function toAmount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** What is not known has no series: 0 would be a claim. */
export function setOrRemove(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}

/** Bound on the models that have a label of their own, should catalogs come and go. */
export const maxModelLabels = 64;

/** Turns that failed before Codex named a model. */
const noModel = "none";
/** Anything that is in no catalog: a custom provider takes any name, and each would be a series for ever. */
const otherModel = "other";

export type ReadCatalog = () => Promise<readonly { readonly id: string }[]>;

/** Model names as label values: those of the catalog, and few words for all else. */
export class ModelLabels {
  readonly #readCatalog: ReadCatalog;
  readonly #known = new Set<string>();
  #reading: Promise<void> | null = null;

  constructor(readCatalog: ReadCatalog) {
    this.#readCatalog = readCatalog;
  }

  /** Calls back at once where the name is known, else when the catalog was read; never throws or rejects. */
  withLabel(model: string | null, use: (label: string) => void): void {
    if (model === null) use(noModel);
    else if (this.#known.has(model)) use(model);
    else void this.#read().then(() => use(this.#known.has(model) ? model : otherModel));
  }

  /** Those who ask at once share one reading. */
  #read(): Promise<void> {
    this.#reading ??= this.#learn().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #learn(): Promise<void> {
    // Without a catalog the name is unknown, and why there is none is told by readiness.
    const models = await this.#readCatalog().catch(() => []);
    for (const { id } of models) {
      if (this.#known.size < maxModelLabels) this.#known.add(id);
    }
  }
}
