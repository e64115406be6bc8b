import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { isSystemError, writePrivateFile } from "./app-server/private-files.js";

/** Changes are written together, at most this often, in milliseconds. */
const saveAfterMs = 1_000;
/** Far more than what is ever written. */
const maxFileBytes = 1024 * 1024;
/** A model's name may be any text; what has a longer key is not kept. */
export const longestKey = 200;

interface KeptRecordsOptions<Value> {
  /** Null keeps nothing. */
  readonly file: string | null;
  readonly value: z.ZodType<Value>;
  /** First part of the names of its log events, such as `upstream_limits`. */
  readonly event: string;
  /** For people: what is in the file. */
  readonly what: string;
  readonly logger: Logger;
}

/** What was learned and should outlive the process, by key, in one private file of the state directory. */
export class KeptRecords<Value> {
  readonly #options: KeptRecordsOptions<Value>;
  /** What is to be written soon. */
  #pending: {
    readonly timer: NodeJS.Timeout;
    readonly records: () => Readonly<Record<string, Value>>;
  } | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: KeptRecordsOptions<Value>) {
    this.#options = options;
  }

  /** What an earlier process kept. A file that cannot be read means that nothing is known. */
  async load(): Promise<Readonly<Record<string, Value>>> {
    const { file, value, event, what, logger } = this.#options;
    if (file === null) return {};
    try {
      if ((await stat(file)).size > maxFileBytes) throw new Error(`more than ${maxFileBytes} bytes`);
      const schema = z.record(z.string().max(longestKey), value);
      return schema.parse(JSON.parse(await readFile(file, "utf8")));
    } catch (error) {
      if (!isSystemError(error, "ENOENT"))
        logger.warn({ event: `${event}.unreadable`, err: error }, `${what} cannot be read`);
      return {};
    }
  }

  /** Writes soon what `records` says then. */
  saveSoon(records: () => Readonly<Record<string, Value>>): void {
    if (this.#options.file === null) return;
    this.#pending ??= { records, timer: setTimeout(() => this.save(records()), saveAfterMs).unref() };
  }

  save(records: Readonly<Record<string, Value>>): void {
    if (this.#pending !== null) clearTimeout(this.#pending.timer);
    this.#pending = null;
    const { file, event, what, logger } = this.#options;
    if (file === null) return;
    this.#saving = this.#saving
      .then(() => writePrivateFile(file, JSON.stringify(records)))
      .catch((error: unknown) => {
        logger.warn({ event: `${event}.unwritten`, err: error }, `${what} cannot be kept`);
      });
  }

  /** Resolves when everything that was to be saved is written. */
  async close(): Promise<void> {
    if (this.#pending !== null) this.save(this.#pending.records());
    await this.#saving;
  }
}

/** Stands for an account in a file of the state directory, which needs to say no more of it. Asked for often, and made anew seldom. */
export class AccountDigest {
  #last: { readonly account: string | null; readonly text: string } | null = null;

  of(account: string | null): string {
    if (this.#last?.account !== account) {
      const hash = createHash("sha256").update(account ?? "");
      this.#last = { account, text: hash.digest("hex").slice(0, 16) };
    }
    return this.#last.text;
  }
}
