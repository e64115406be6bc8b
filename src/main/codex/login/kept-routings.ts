import type { Logger } from "pino";
import { z } from "zod";
import type { WorkspaceRouting } from "../../../workers/contract/native-queries.js";
import { KeptRecords } from "../home/kept-records.js";

/** What Codex reported about an account's routing, and when. */
export interface KeptRouting {
  /** Null if the account's requests are not routed. */
  readonly routing: WorkspaceRouting | null;
  /** Wall clock, in milliseconds since the epoch. */
  readonly atMs: number;
}

const recordSchema = z.object({
  routing: z.object({ origin: z.string().nullable(), override: z.string().nullable() }).nullable(),
  atMs: z.number(),
});

/** How many logins to remember; the most recently written stay. */
const maxRemembered = 16;

/** Remembers across restarts where the requests of each login go, so that a start without network needs no answer. */
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

  /** Looks up the digest of a login; null if nothing is known about it. */
  async find(login: string): Promise<KeptRouting | null> {
    const known = await this.#records.load();
    return known[login] ?? null;
  }

  /** Never rejects: if the record cannot be written, the next start asks again. */
  async keep(login: string, kept: KeptRouting): Promise<void> {
    const { [login]: _, ...others } = await this.#records.load();
    this.#records.save(
      Object.fromEntries([...Object.entries(others), [login, kept] as const].slice(-maxRemembered)),
    );
    await this.#records.close();
  }
}
