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
