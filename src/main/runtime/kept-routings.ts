import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { z } from "zod";
import type { WorkspaceRouting } from "../../workers/contract/native-queries.js";
import { isSystemError, writePrivateFile } from "./app-server/private-files.js";

/** What Codex said of an account's routing, and when. */
export interface KeptRouting {
  /** Null: nothing is routed. */
  readonly routing: WorkspaceRouting | null;
  /** By the wall clock. */
  readonly atMs: number;
}

/** By the digest of a login. */
const fileSchema = z.record(
  z.string(),
  z.object({
    routing: z.object({ origin: z.string().nullable(), override: z.string().nullable() }).nullable(),
    atMs: z.number(),
  }),
);

/** Logins that are remembered; those asked about last stay. */
const maxRemembered = 16;

/** Where the requests of each login go, kept over restarts: a start without the network then needs no answer. */
export class KeptRoutings {
  readonly #file: string;
  readonly #logger: Logger;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** Null where nothing is known. */
  async find(login: string): Promise<KeptRouting | null> {
    const known = await this.#read();
    return known[login] ?? null;
  }

  /** Never rejects: what cannot be kept is asked again. */
  async keep(login: string, kept: KeptRouting): Promise<void> {
    const { [login]: _, ...others } = await this.#read();
    const latest = [...Object.entries(others), [login, kept] as const].slice(-maxRemembered);
    await writePrivateFile(this.#file, JSON.stringify(Object.fromEntries(latest))).catch((error: unknown) => {
      this.#logger.warn({ event: "account_routings.unwritten", err: error }, "routings cannot be kept");
    });
  }

  async #read(): Promise<Readonly<Record<string, KeptRouting>>> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#file, "utf8")));
    } catch (error) {
      if (!isSystemError(error, "ENOENT"))
        this.#logger.warn({ event: "account_routings.unreadable", err: error }, "routings cannot be read");
      return {};
    }
  }
}
