import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { PromptForm } from "../../../workers/contract/turn.js";
import { ensurePrivateDirectory, writePrivateFile } from "../home/private-files.js";

/** Properties of a model in Codex's own catalog that the derived catalogs overwrite. */
const catalogEntry = z.object({
  id: z.string(),
  /** Null if Codex's own catalog names none. */
  defaultReasoningEffort: z.string().nullable(),
  /** Whether Codex uses Responses Lite for this model (`use_responses_lite`). */
  usesResponsesLite: z.boolean(),
});
export type CatalogEntry = Readonly<z.infer<typeof catalogEntry>>;

const fileName = z.string().regex(/^catalog-[0-9a-f]+\.json$/);
/** `own` is the catalog that an app-server starts with; the others are for single threads, one for each prompt form. */
const catalogNames = ["own", "lean", "lean_lite", "codex"] as const satisfies readonly ("own" | PromptForm)[];
type CatalogName = (typeof catalogNames)[number];

const indexSchema = z.object({
  key: z.string(),
  files: z.record(z.enum(catalogNames), fileName),
  models: z.array(catalogEntry),
  renderedAt: z.number(),
});
type CatalogIndex = z.infer<typeof indexSchema>;

const indexName = "index.json";

export interface KeptCatalog {
  /** Files are named by their content, so equal paths mean equal catalogs. */
  readonly paths: Readonly<Record<CatalogName, string>>;
  readonly models: readonly CatalogEntry[];
  readonly ageMs: number;
}

/** Keeps the derived catalogs on disk, with a key that says which binary, login and configuration they are valid for. */
export class CatalogCache {
  readonly #directory: string;
  readonly #wallClock: () => number;

  constructor(directory: string, wallClock: () => number) {
    this.#directory = directory;
    this.#wallClock = wallClock;
  }

  /** Null if the cache holds no complete set of catalogs for this key. */
  async read(key: string): Promise<KeptCatalog | null> {
    const index = await this.#readIndex();
    if (index === null || index.key !== key) return null;
    const paths = this.#pathsOf(index);
    const found = await Promise.all(Object.values(paths).map((path) => stat(path).catch(() => null)));
    if (found.includes(null)) return null;
    // If the clock was set back, treat the catalog as expired.
    const ageMs = this.#wallClock() - index.renderedAt;
    return { paths, models: index.models, ageMs: ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs };
  }

  async keep(
    key: string,
    contents: Readonly<Record<CatalogName, string>>,
    models: readonly CatalogEntry[],
  ): Promise<KeptCatalog> {
    await ensurePrivateDirectory(this.#directory, "model catalog directory");
    const previous = await this.#readIndex();
    const files = { own: "", lean: "", lean_lite: "", codex: "" };
    for (const name of catalogNames) {
      const content = contents[name];
      files[name] = `catalog-${createHash("sha256").update(content).digest("hex").slice(0, 16)}.json`;
      await writePrivateFile(join(this.#directory, files[name]), content);
    }
    const index: CatalogIndex = { key, files, models: [...models], renderedAt: this.#wallClock() };
    await writePrivateFile(join(this.#directory, indexName), JSON.stringify(index));
    // Keep the previous set: an app-server that is starting may not have read it yet, and a running one still starts threads.
    const kept = new Set([...Object.values(files), ...Object.values(previous?.files ?? {})]);
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith("catalog-") && !kept.has(name))
        await rm(join(this.#directory, name), { force: true });
    }
    return { paths: this.#pathsOf(index), models, ageMs: 0 };
  }

  #pathsOf({ files }: CatalogIndex): Readonly<Record<CatalogName, string>> {
    const pathOf = (name: CatalogName): string => join(this.#directory, files[name]);
    return {
      own: pathOf("own"),
      lean: pathOf("lean"),
      lean_lite: pathOf("lean_lite"),
      codex: pathOf("codex"),
    };
  }

  async #readIndex(): Promise<CatalogIndex | null> {
    try {
      return indexSchema.parse(JSON.parse(await readFile(join(this.#directory, indexName), "utf8")));
    } catch {
      // Missing or damaged: the catalogs are rendered again.
      return null;
    }
  }
}
