import { createHash } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isSystemError } from "./app-server/private-files.js";

/**
 * Codex's own copy of what an organisation demands, in its home: signed by Codex, of one login, and good for an hour. An app-server
 * that starts within that hour takes it from there, whether it reaches the account's backend or not, and keeps it while it runs
 * (0.150 to 0.171: for more than an hour too).
 */
const bundleName = "cloud-config-bundle-cache.json";

const bundleSchema = z.looseObject({
  signed_payload: z.looseObject({ expires_at: z.iso.datetime(), bundle: z.record(z.string(), z.unknown()) }),
});

interface Bundle {
  /** A digest of what is demanded. */
  readonly contents: string;
  readonly expiresAtMs: number;
}

export interface ManagedConfigurationOptions {
  readonly wallClock: () => number;
  /** How often it is read anew, in milliseconds; within Codex's hour. */
  readonly renewEveryMs: number;
}

/** Whose configuration it is, and where. */
export interface ManagedHome {
  /** Whose login it is. */
  readonly login: string;
  /** An app-server's own home. */
  readonly path: string;
}

/** Has Codex read the configuration, with the account's backend, in the home. Resolves with whether it could; never rejects. */
export type ReadConfiguration = () => Promise<boolean>;

/**
 * - `ready`: the home has a copy that an app-server can start with.
 * - `none`: Codex wants none for this account.
 * - `failed`: it could not be read.
 */
export type ManagedState = "ready" | "none" | "failed";

/** What was read within this time is good for another start, in milliseconds. */
const youngForMs = 45 * 60_000;
/** Time that an app-server which is starting has to read the copy, in milliseconds. */
const startMarginMs = 60_000;
/** After a read that failed, in milliseconds. */
const retryAfterMs = 5 * 60_000;

/** Keeps the copy of one home young enough for the next start, and says when what it demands has changed. */
export class ManagedConfiguration {
  readonly #options: ManagedConfigurationOptions;
  #home: ManagedHome | null = null;
  #state: ManagedState = "none";
  #readAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  /** What the latest app-server was prepared with. */
  #used: string | null = null;

  constructor(options: ManagedConfigurationOptions) {
    this.#options = options;
  }

  /** When it is to be read anew, in milliseconds from now; null where there is nothing to read. */
  get renewalInMs(): number | null {
    if (this.#home === null || this.#state === "none") return null;
    const { wallClock, renewEveryMs } = this.#options;
    const dueAtMs =
      this.#state === "ready"
        ? this.#readAtMs + renewEveryMs
        : this.#triedAtMs + Math.min(retryAfterMs, renewEveryMs);
    // A clock that was set back makes no wait longer.
    return Math.min(Math.max(0, dueAtMs - wallClock()), renewEveryMs);
  }

  /** The next app-server has another kind of login. */
  forget(): void {
    this.#home = null;
    this.#state = "none";
    this.#used = null;
  }

  /** For an app-server that is about to start: reads it, unless that was done lately. */
  async provide(home: ManagedHome, read: ReadConfiguration): Promise<ManagedState> {
    const isOther = this.#home?.login !== home.login || this.#home.path !== home.path;
    if (isOther) this.#readAtMs = Number.NEGATIVE_INFINITY;
    this.#home = home;
    const known = this.#isYoung() ? await this.#findUsable(home) : null;
    const bundle = known ?? (await this.#read(home, read));
    this.#used = bundle?.contents ?? null;
    return this.#state;
  }

  /** Reads it anew. Resolves with whether another app-server must take over because of what was found. */
  async renew(read: ReadConfiguration): Promise<boolean> {
    const home = this.#home;
    if (home === null || this.#state === "none") return false;
    const bundle = await this.#read(home, read);
    return bundle !== null && bundle.contents !== this.#used;
  }

  #isYoung(): boolean {
    const ageMs = this.#options.wallClock() - this.#readAtMs;
    return ageMs >= 0 && ageMs < youngForMs;
  }

  async #findUsable(home: ManagedHome): Promise<Bundle | null> {
    const bundle = await readBundle(join(home.path, bundleName));
    const isUsable = bundle !== null && bundle.expiresAtMs > this.#options.wallClock() + startMarginMs;
    return isUsable ? bundle : null;
  }

  /** Codex reads nothing while it has a copy that is good: that is put aside, and back where no other came. */
  async #read(home: ManagedHome, read: ReadConfiguration): Promise<Bundle | null> {
    const file = join(home.path, bundleName);
    const former = `${file}.former`;
    const { wallClock } = this.#options;
    await move(file, former);
    const isRead = await read();
    const bundle = await this.#findUsable(home);
    this.#triedAtMs = wallClock();
    if (bundle === null) {
      await move(former, file);
      this.#state = isRead ? "none" : "failed";
      return null;
    }
    await rm(former, { force: true });
    this.#readAtMs = this.#triedAtMs;
    this.#state = "ready";
    return bundle;
  }
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
}

/** Null where there is none, or none that can be read. */
async function readBundle(file: string): Promise<Bundle | null> {
  try {
    const { signed_payload } = bundleSchema.parse(JSON.parse(await readFile(file, "utf8")));
    const contents = createHash("sha256").update(JSON.stringify(signed_payload.bundle)).digest("hex");
    return { contents, expiresAtMs: Date.parse(signed_payload.expires_at) };
  } catch {
    return null;
  }
}
