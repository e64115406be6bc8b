/** Names, labels and units of metrics. */

/** Of the service's own metrics. Those of the process keep the names that Node's dashboards know. */
export const prefix = "codex_native_api_";

export function toSeconds(ms: number): number {
  return toAmount(ms) / 1000;
}

/** 0 for anything that is no positive number: prom-client would throw on it, and observers must not throw. */
export function toAmount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** Bound on the callers that have a label of their own: each reload of the configuration can bring new names. */
export const maxCallerLabels = 256;

/** Names of tokens as label values: those that came first, or `other`. */
export class CallerLabels {
  readonly #known = new Set<string>();

  of(caller: string): string {
    if (this.#known.size < maxCallerLabels) this.#known.add(caller);
    return this.#known.has(caller) ? caller : "other";
  }
}

/** Bound on the models that have a label of their own: each catalog can bring new ones. */
export const maxModelLabels = 64;

/** Turns that failed before Codex named a model. */
const noModel = "none";
/** Models outside the catalog: a custom provider takes any name, and each would be a series for ever. */
const otherModel = "other";

export type ReadCatalog = () => Promise<readonly { readonly id: string }[]>;

/** Model names as label values: the catalog's own, `none` or `other`. */
export class ModelLabels {
  readonly #readCatalog: ReadCatalog;
  readonly #known = new Set<string>();
  #reading: Promise<void> | null = null;

  constructor(readCatalog: ReadCatalog) {
    this.#readCatalog = readCatalog;
  }

  /** Calls `use` at once for a known name, else after it has read the catalog. Never throws or rejects. */
  withLabel(model: string | null, use: (label: string) => void): void {
    if (model === null) use(noModel);
    else if (this.#known.has(model)) use(model);
    else {
      // Calls at the same time share one reading.
      this.#reading ??= this.#learn().finally(() => {
        this.#reading = null;
      });
      void this.#reading.then(() => use(this.#known.has(model) ? model : otherModel));
    }
  }

  async #learn(): Promise<void> {
    // Without a catalog the name stays unknown; readiness says why there is none.
    const models = await this.#readCatalog().catch(() => []);
    for (const { id } of models) {
      if (this.#known.size < maxModelLabels) this.#known.add(id);
    }
  }
}
