import { createHash } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isSystemError } from "./private-files.js";

/**
 * Codex's own copy of an organisation's configuration in its home: signed by Codex, for one login, valid for an hour. An
 * app-server that starts within that hour uses the copy, even if it cannot reach the account's backend, and keeps it while it
 * runs, also for more than an hour (0.150 to 0.171).
 */
const bundleName = "cloud-config-bundle-cache.json";

const bundleSchema = z.looseObject({
  signed_payload: z.looseObject({ expires_at: z.iso.datetime(), bundle: z.record(z.string(), z.unknown()) }),
});

interface Bundle {
  /** Digest of the configuration. */
  readonly contents: string;
  readonly expiresAtMs: number;
}

export interface ManagedConfigurationOptions {
  readonly wallClock: () => number;
  /** How often to read it again, in milliseconds; less than the hour for which Codex's copy is valid. */
  readonly renewEveryMs: number;
}

/** The login that the configuration belongs to, and the home that holds the copy. */
export interface ManagedHome {
  readonly login: string;
  /** The service's own Codex home. */
  readonly path: string;
}

/**
 * Lets Codex read the configuration from the account's backend into the home. Resolves with whether it could; never rejects.
 */
export type ReadConfiguration = () => Promise<boolean>;

/**
 * - `ready`: the home has a valid copy for an app-server to start with.
 * - `none`: this account has no managed configuration.
 * - `failed`: the configuration could not be read.
 */
export type ManagedState = "ready" | "none" | "failed";

/** A copy read within this time is used for another start without reading again, in milliseconds. */
const freshForMs = 45 * 60_000;
/** How long the copy must still be valid, so that a starting app-server can read it, in milliseconds. */
const startMarginMs = 60_000;
/** Wait after a failed read, in milliseconds. */
const retryAfterMs = 5 * 60_000;

/** Keeps the copy in one home fresh enough for the next start, and detects changes of the configuration. */
export class ManagedConfiguration {
  readonly #options: ManagedConfigurationOptions;
  #home: ManagedHome | null = null;
  #state: ManagedState = "none";
  #readAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  /** Digest of the configuration that the latest app-server was prepared with. */
  #used: string | null = null;

  constructor(options: ManagedConfigurationOptions) {
    this.#options = options;
  }

  /** Milliseconds until the next read is due; null if there is nothing to read. */
  get renewalInMs(): number | null {
    if (this.#home === null || this.#state === "none") return null;
    const { wallClock, renewEveryMs } = this.#options;
    const dueAtMs =
      this.#state === "ready"
        ? this.#readAtMs + renewEveryMs
        : this.#triedAtMs + Math.min(retryAfterMs, renewEveryMs);
    // If the clock was set back, still wait no longer than the interval.
    return Math.min(Math.max(0, dueAtMs - wallClock()), renewEveryMs);
  }

  /** Call if the next app-server's login has no managed configuration. */
  forget(): void {
    this.#home = null;
    this.#state = "none";
    this.#used = null;
  }

  /** Prepares the copy for an app-server that is about to start. Reads the configuration unless a recent copy exists. */
  async provide(home: ManagedHome, read: ReadConfiguration): Promise<ManagedState> {
    const isOther = this.#home?.login !== home.login || this.#home.path !== home.path;
    if (isOther) this.#readAtMs = Number.NEGATIVE_INFINITY;
    this.#home = home;
    const known = this.#isFresh() ? await this.#findUsable(home) : null;
    const bundle = known ?? (await this.#read(home, read));
    this.#used = bundle?.contents ?? null;
    return this.#state;
  }

  /** Reads the configuration again. Resolves with whether it changed, so that a new app-server must take over. */
  async renew(read: ReadConfiguration): Promise<boolean> {
    const home = this.#home;
    if (home === null || this.#state === "none") return false;
    const bundle = await this.#read(home, read);
    return bundle !== null && bundle.contents !== this.#used;
  }

  #isFresh(): boolean {
    const ageMs = this.#options.wallClock() - this.#readAtMs;
    return ageMs >= 0 && ageMs < freshForMs;
  }

  async #findUsable(home: ManagedHome): Promise<Bundle | null> {
    const bundle = await readBundle(join(home.path, bundleName));
    const isUsable = bundle !== null && bundle.expiresAtMs > this.#options.wallClock() + startMarginMs;
    return isUsable ? bundle : null;
  }

  /** Moves the copy aside first, since Codex reads nothing while it has a valid one. Moves it back if no new copy appears. */
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

/** Null if the file is missing or cannot be parsed. */
async function readBundle(file: string): Promise<Bundle | null> {
  try {
    const { signed_payload } = bundleSchema.parse(JSON.parse(await readFile(file, "utf8")));
    const contents = createHash("sha256").update(JSON.stringify(signed_payload.bundle)).digest("hex");
    return { contents, expiresAtMs: Date.parse(signed_payload.expires_at) };
  } catch {
    return null;
  }
}
