import type { Logger } from "pino";
import { z } from "zod";
import type { WorkspaceRouting } from "../../workers/contract/native-queries.js";
import { KeptRecords } from "./kept-records.js";

/** What Codex said of an account's routing, and when. */
export interface KeptRouting {
  /** Null: nothing is routed. */
  readonly routing: WorkspaceRouting | null;
  /** By the wall clock. */
  readonly atMs: number;
}

const recordSchema = z.object({
  routing: z.object({ origin: z.string().nullable(), override: z.string().nullable() }).nullable(),
  atMs: z.number(),
});

/** Logins that are remembered; those asked about last stay. */
const maxRemembered = 16;

/** Where the requests of each login go, kept over restarts: a start without the network then needs no answer. */
export class KeptRoutings {
  readonly #records: KeptRecords<KeptRouting>;

  constructor(file: string, logger: Logger) {
    this.#records = new KeptRecords({
      file,
      value: recordSchema,
      event: "account_routings",
      what: "routings",
      logger,
    });
  }

  /** By the digest of a login; null where nothing is known. */
  async find(login: string): Promise<KeptRouting | null> {
    const known = await this.#records.load();
    return known[login] ?? null;
  }

  /** Never rejects: what cannot be kept is asked again. */
  async keep(login: string, kept: KeptRouting): Promise<void> {
    const { [login]: _, ...others } = await this.#records.load();
    this.#records.save(
      Object.fromEntries([...Object.entries(others), [login, kept] as const].slice(-maxRemembered)),
    );
    await this.#records.close();
  }
}
