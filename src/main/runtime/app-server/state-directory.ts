import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type AuthLinkMend, rescueLogin } from "./auth-link.js";
import {
  findOtherOwner,
  foreignStaleMs,
  type InstanceOwner,
  isAbandoned,
  makeInstanceName,
  makeReleasedName,
  readOwnOwner,
} from "./instance-owner.js";
import { PidLedger, type ReapedProcess } from "./pid-ledger.js";
import { ensurePrivateDirectory, isSystemError } from "./private-files.js";
import { unavailable } from "./unavailable.js";

/** One service's part of the state directory. Two services on one state directory never share one. */
export interface InstanceDirectory {
  readonly path: string;
  /** Own CODEX_HOME. */
  readonly codexHome: string;
  /** Empty working directory for threads. */
  readonly work: string;
  /** Ledger of this service's child processes. */
  readonly ledger: string;
  /** Derived model catalogs. */
  readonly catalogs: string;
  /** What opening it did, for the log. */
  readonly notices: readonly StateDirectoryNotice[];
  /** Makes anew what somebody removed of it meanwhile. Call before each start of a process in it. */
  mend(): Promise<void>;
  /** A socket path not used before, short enough for the platform. */
  socketPath(generation: number): string;
  /** Gives the instance up, for the next service to take on. Call when every child is gone. Idempotent. */
  close(): Promise<void>;
}

export type StateDirectoryNotice =
  | ({ readonly event: "orphan_reaped" } & ReapedProcess)
  | { readonly event: "login_rescued"; readonly outcome: AuthLinkMend }
  | { readonly event: "stale_instance_removed" }
  /** Another service runs on it. It has its own part of the directory, and the same login. */
  | { readonly event: "shared_with_another"; readonly pid: number }
  | { readonly event: "stale_instance_kept"; readonly reason: string };

interface OpenStateDirectoryOptions {
  /** Absolute path. */
  readonly path: string;
  /** Time given to an orphaned process of a dead service after SIGTERM, and again after SIGKILL. */
  readonly stopStepMs: number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** Often enough for `foreignStaleMs`. */
const touchIntervalMs = foreignStaleMs / 10;

/**
 * Opens the state directory and takes an instance of it. The instance of a service that is no more is taken on if there
 * is one, for its home is warm (databases, caches of Codex's); more of them are cleared away. Before either, the processes
 * it left behind are ended and a login it had not handed over yet is brought to the user's home.
 *
 * Rejects with `native_runtime_unavailable` when the directory cannot be made private.
 */
export async function openStateDirectory(options: OpenStateDirectoryOptions): Promise<InstanceDirectory> {
  await ensurePrivateDirectory(options.path, "state directory");
  const instances = join(options.path, "instances");
  await ensurePrivateDirectory(instances, "instances directory");
  const own = await readOwnOwner();
  const notices: StateDirectoryNotice[] = [];
  for (const name of await readdir(instances)) {
    const pid = await findOtherOwner(name, own);
    if (pid !== null) notices.push({ event: "shared_with_another", pid });
  }
  let path: string | null = null;
  for (const claimed of await claimAbandoned(instances, own, options.wallClock())) {
    const usable = await settleClaimed(claimed, options.stopStepMs, notices);
    if (!usable) continue;
    if (path === null) path = claimed;
    else {
      await rm(claimed, { recursive: true, force: true });
      notices.push({ event: "stale_instance_removed" });
    }
  }
  if (path === null) {
    path = join(instances, makeInstanceName(own));
    await mkdir(path, { mode: 0o700 });
  }
  return furnish(path, options, notices);
}

/** Renames what nobody holds to names of ours. Of several services that try, one wins each. */
async function claimAbandoned(
  instances: string,
  own: InstanceOwner,
  now: number,
): Promise<readonly string[]> {
  const claimed: string[] = [];
  for (const name of (await readdir(instances)).sort()) {
    const path = join(instances, name);
    const found = await stat(path).catch(() => null);
    if (found === null || !(await isAbandoned(name, own, now - found.mtimeMs))) continue;
    const target = join(instances, makeInstanceName(own));
    try {
      await rename(path, target);
      claimed.push(target);
    } catch (error) {
      // Another service was first.
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
  return claimed;
}

/** False when it must stay as it is: a process of it cannot be ended, or its login cannot be handed over. */
async function settleClaimed(
  path: string,
  stopStepMs: number,
  notices: StateDirectoryNotice[],
): Promise<boolean> {
  const reaped = await new PidLedger({ directory: join(path, "ledger"), stopStepMs }).reapOrphans();
  for (const one of reaped) notices.push({ event: "orphan_reaped", ...one });
  if (reaped.some(({ outcome }) => outcome === "still_alive")) {
    notices.push({ event: "stale_instance_kept", reason: "a process of it cannot be ended" });
    return false;
  }
  await removeSocketDirectory(join(path, "run"));
  const home = join(path, "codex-home");
  try {
    const outcome = await rescueLogin(home);
    if (outcome !== null) notices.push({ event: "login_rescued", outcome });
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown fault";
    notices.push({ event: "stale_instance_kept", reason });
    return false;
  }
  const left = await lstat(join(home, "auth.json")).catch(() => null);
  if (!left?.isFile()) return true;
  notices.push({ event: "stale_instance_kept", reason: "nothing says whose login it holds" });
  return false;
}

async function furnish(
  path: string,
  options: OpenStateDirectoryOptions,
  notices: readonly StateDirectoryNotice[],
): Promise<InstanceDirectory> {
  const [codexHome, work, ledger] = [join(path, "codex-home"), join(path, "work"), join(path, "ledger")];
  await rm(work, { recursive: true, force: true });
  const ensureDirectories = async (): Promise<void> => {
    await ensurePrivateDirectory(options.path, "state directory");
    for (const directory of [dirname(path), path, codexHome, work, ledger])
      await ensurePrivateDirectory(directory, "instance directory");
  };
  await ensureDirectories();
  const run = join(path, "run");
  let sockets = await openSocketDirectory(run);
  const mend = async (): Promise<void> => {
    await ensureDirectories();
    const reachable = await stat(run).catch(() => null);
    if (reachable === null) sockets = await openSocketDirectory(run);
  };
  const touch = (): void => {
    const now = new Date(options.wallClock());
    // Fails only when the directory is gone, and then there is nothing left to keep alive.
    utimes(path, now, now).catch(() => undefined);
  };
  touch();
  const touching = setInterval(touch, touchIntervalMs);
  touching.unref();
  const release = async (): Promise<void> => {
    clearInterval(touching);
    await removeSocketDirectory(run);
    // With children still recorded it keeps its name, so that only a start after this process's end reaps them.
    if ((await readdir(ledger)).length > 0) return;
    await rename(path, join(options.path, "instances", makeReleasedName()));
  };
  let closing: Promise<void> | null = null;
  return {
    path,
    codexHome,
    work,
    ledger,
    catalogs: join(path, "catalogs"),
    notices,
    mend,
    socketPath: (generation) => makeSocketPath(sockets, generation),
    close: () => {
      closing ??= release().catch((error: unknown) => {
        // Somebody removed the state directory under us; then there is nothing to give up.
        if (!isSystemError(error, "ENOENT")) throw error;
      });
      return closing;
    },
  };
}

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, a final NUL included. */
const maxSocketPathBytes = 103;
const shortPrefix = "codex-api-";

function makeSocketPath(directory: string, generation: number): string {
  return join(directory, `g${generation}.sock`);
}

/**
 * A directory for sockets at `path`. Where that path is too long for a socket, a private short one in the temporary
 * directory, and at `path` a link to it, so that whoever removes the one finds the other.
 */
async function openSocketDirectory(path: string): Promise<string> {
  await removeSocketDirectory(path);
  // Windows has no unix sockets here; the directory stays empty, and its length does not matter.
  if (process.platform === "win32" || fits(path)) {
    await ensurePrivateDirectory(path, "socket directory");
    return path;
  }
  for (const parent of [tmpdir(), "/tmp"]) {
    if (!fits(join(parent, `${shortPrefix}XXXXXX`))) continue;
    // mkdtemp makes it 0700 and refuses what exists.
    const short = await mkdtemp(join(parent, shortPrefix));
    await symlink(short, path);
    return short;
  }
  throw unavailable(
    "The state directory's path is too long for a unix socket. Set CODEX_NATIVE_API_STATE_DIR to a shorter one.",
  );
}

/** Removes the directory and, if it was a link to a short one, that too. */
async function removeSocketDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSymbolicLink()) {
    const short = await readlink(path);
    // Only what this module itself makes; a link to elsewhere is removed and not followed.
    if (/^codex-api-[A-Za-z0-9]{6}$/.test(basename(short))) await rm(short, { recursive: true, force: true });
  }
  await rm(path, { recursive: true, force: true });
}

function fits(directory: string): boolean {
  return Buffer.byteLength(makeSocketPath(directory, 999_999)) <= maxSocketPathBytes;
}
