import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { isSystemError, writePrivateFile } from "./private-files.js";

/** Changes within this time are written together, in milliseconds. */
const saveAfterMs = 1_000;
/** Far more than any file that this service writes. */
const maxFileBytes = 1024 * 1024;
/** Longest key of a record, in characters. A model's name may be any text; records with longer names are not kept. */
export const longestKey = 200;

interface KeptRecordsOptions<Value> {
  /** Null disables reading and writing. */
  readonly file: string | null;
  readonly value: z.ZodType<Value>;
  /** Prefix of its log events, for example `upstream_limits`. */
  readonly event: string;
  /** Name of the file's contents in log messages. */
  readonly what: string;
  readonly logger: Logger;
}

/** Keeps records by key in one private file of the state directory, so that they survive a restart. */
export class KeptRecords<Value> {
  readonly #options: KeptRecordsOptions<Value>;
  /** The next write, if one is scheduled. */
  #pending: {
    readonly timer: NodeJS.Timeout;
    readonly records: () => Readonly<Record<string, Value>>;
  } | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: KeptRecordsOptions<Value>) {
    this.#options = options;
  }

  /** Reads the records of earlier processes; none if the file cannot be read. */
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

  /** Schedules a write, which calls `records` for the contents when it happens. */
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
        logger.warn({ event: `${event}.unwritten`, err: error }, `${what} cannot be saved`);
      });
  }

  /** Writes what is still scheduled and resolves when all writes are done. */
  async close(): Promise<void> {
    if (this.#pending !== null) this.save(this.#pending.records());
    await this.#saving;
  }
}

/** Digest that stands for an account in files of the state directory. Remembers the last result, since it is needed often. */
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
