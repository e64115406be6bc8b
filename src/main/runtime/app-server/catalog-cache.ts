import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ensurePrivateDirectory, writePrivateFile } from "./private-files.js";

/** What the derived catalog no longer says of a model. */
const catalogEntry = z.object({
  id: z.string(),
  /** Null where Codex's own catalog names none. */
  defaultReasoningEffort: z.string().nullable(),
});
export type CatalogEntry = Readonly<z.infer<typeof catalogEntry>>;

const indexSchema = z.object({
  key: z.string(),
  file: z.string().regex(/^catalog-[0-9a-f]+\.json$/),
  models: z.array(catalogEntry),
  renderedAt: z.number(),
});
type CatalogIndex = z.infer<typeof indexSchema>;

const indexName = "index.json";

export interface KeptCatalog {
  /** Named by content: the same path means the same catalog. */
  readonly path: string;
  readonly models: readonly CatalogEntry[];
  readonly ageMs: number;
}

/** One derived catalog on disk, and what it is valid for. */
export class CatalogCache {
  readonly #directory: string;
  readonly #wallClock: () => number;

  constructor(directory: string, wallClock: () => number) {
    this.#directory = directory;
    this.#wallClock = wallClock;
  }

  /** Null when nothing is kept for this key. */
  async read(key: string): Promise<KeptCatalog | null> {
    const index = await this.#readIndex();
    if (index === null || index.key !== key) return null;
    const path = join(this.#directory, index.file);
    const exists = await stat(path).catch(() => null);
    if (exists === null) return null;
    // A clock that was set back makes it old, not young.
    const ageMs = this.#wallClock() - index.renderedAt;
    return { path, models: index.models, ageMs: ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs };
  }

  async keep(key: string, content: string, models: readonly CatalogEntry[]): Promise<KeptCatalog> {
    await ensurePrivateDirectory(this.#directory, "model catalog directory");
    const previous = (await this.#readIndex())?.file;
    const file = `catalog-${createHash("sha256").update(content).digest("hex").slice(0, 16)}.json`;
    await writePrivateFile(join(this.#directory, file), content);
    const index: CatalogIndex = { key, file, models: [...models], renderedAt: this.#wallClock() };
    await writePrivateFile(join(this.#directory, indexName), JSON.stringify(index));
    // The previous one stays: an app-server that is just starting may not have read it yet.
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith("catalog-") && name !== file && name !== previous)
        await rm(join(this.#directory, name), { force: true });
    }
    return { path: join(this.#directory, file), models, ageMs: 0 };
  }

  async #readIndex(): Promise<CatalogIndex | null> {
    try {
      return indexSchema.parse(JSON.parse(await readFile(join(this.#directory, indexName), "utf8")));
    } catch {
      // Missing or damaged: the catalog is rendered anew, which is what a cache is allowed to cost.
      return null;
    }
  }
}
