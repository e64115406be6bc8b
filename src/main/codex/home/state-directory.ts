import { lstat, mkdir, mkdtemp, readdir, readlink, rename, stat, symlink, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { PidLedger, type ReapedProcess } from "../process/pid-ledger.js";
import { unavailable } from "../process/unavailable.js";
import { type AuthLinkRepair, rescueLogin } from "./auth-link.js";
import {
  findOtherOwner,
  foreignStaleMs,
  type InstanceOwner,
  isAbandoned,
  makeInstanceName,
  makeReleasedName,
  readOwnOwner,
} from "./instance-owner.js";
import { ensurePrivateDirectory, isSystemError, removeTree } from "./private-files.js";

/** One service's part of the state directory. Two services never share an instance directory. */
export interface InstanceDirectory {
  readonly path: string;
  /** The service's own CODEX_HOME. */
  readonly codexHome: string;
  /** Empty working directory for threads. */
  readonly work: string;
  /** Ledger of this service's child processes. */
  readonly ledger: string;
  /** Derived model catalogs. */
  readonly catalogs: string;
  /** What happened while it was opened, for the log. */
  readonly notices: readonly StateDirectoryNotice[];
  /** Recreates removed directories. Call before each start of a process in it. */
  repair(): Promise<void>;
  /** A new socket path, short enough for the platform. */
  socketPath(generation: number): string;
  /** Releases the instance for the next service. Call when every child has ended. Idempotent. */
  close(): Promise<void>;
}

export type StateDirectoryNotice =
  | ({ readonly event: "orphan_reaped" } & ReapedProcess)
  | { readonly event: "login_rescued"; readonly outcome: AuthLinkRepair }
  | { readonly event: "stale_instance_removed" }
  /** Another service runs on the same state directory. It has its own instance directory, but shares the login. */
  | { readonly event: "shared_with_another"; readonly pid: number }
  | { readonly event: "stale_instance_kept"; readonly reason: string };

interface OpenStateDirectoryOptions {
  /** Absolute path. */
  readonly path: string;
  /** How long to wait for an orphan of a dead service to end after SIGTERM, and again after SIGKILL. */
  readonly stopStepMs: number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** Well below `foreignStaleMs`, so that a running service never looks dead. */
const touchIntervalMs = foreignStaleMs / 10;

/**
 * Opens the state directory and takes an instance directory in it. Takes over that of a dead service if there is one, since
 * its home is warm (Codex's databases and caches), and removes any others. Before either, ends the processes that the dead
 * service left behind and moves a login that it had not handed over to the user's home.
 *
 * Rejects with `native_runtime_unavailable` if the directory cannot be made private.
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
    const usable = await cleanUpClaimed(claimed, options.stopStepMs, notices);
    if (!usable) continue;
    if (path === null) path = claimed;
    else notices.push(await removeClaimed(claimed));
  }
  if (path === null) {
    path = join(instances, makeInstanceName(own));
    await mkdir(path, { mode: 0o700 });
  }
  return createInstanceDirectory(path, options, notices);
}

/** Claims abandoned instances by renaming them. If several services try, exactly one gets each. */
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

/** Cleans up a claimed instance. Returns false if it must stay as it is: a process cannot be ended, or a login not moved. */
async function cleanUpClaimed(
  path: string,
  stopStepMs: number,
  notices: StateDirectoryNotice[],
): Promise<boolean> {
  const reaped = await new PidLedger({ directory: join(path, "ledger"), stopStepMs }).reapOrphans();
  for (const one of reaped) notices.push({ event: "orphan_reaped", ...one });
  if (reaped.some(({ outcome }) => outcome === "still_alive")) {
    notices.push({ event: "stale_instance_kept", reason: "one of its processes cannot be ended" });
    return false;
  }
  const home = join(path, "codex-home");
  try {
    await removeSocketDirectory(join(path, "run"));
    await removeTree(join(path, "work"));
    const outcome = await rescueLogin(home);
    if (outcome !== null) notices.push({ event: "login_rescued", outcome });
  } catch (error) {
    notices.push(keptBecause(error));
    return false;
  }
  const left = await lstat(join(home, "auth.json")).catch(() => null);
  if (!left?.isFile()) return true;
  notices.push({ event: "stale_instance_kept", reason: "it is unknown whose login it holds" });
  return false;
}

async function removeClaimed(path: string): Promise<StateDirectoryNotice> {
  try {
    await removeTree(path);
    return { event: "stale_instance_removed" };
  } catch (error) {
    return keptBecause(error);
  }
}

/** What cannot be cleaned up, for example since an unrecorded process keeps writing to it, must not keep the service from starting. */
function keptBecause(error: unknown): StateDirectoryNotice {
  return {
    event: "stale_instance_kept",
    reason: error instanceof Error ? error.message : "unknown fault",
  };
}

async function createInstanceDirectory(
  path: string,
  options: OpenStateDirectoryOptions,
  notices: readonly StateDirectoryNotice[],
): Promise<InstanceDirectory> {
  const [codexHome, work, ledger] = [join(path, "codex-home"), join(path, "work"), join(path, "ledger")];
  const ensureDirectories = async (): Promise<void> => {
    await ensurePrivateDirectory(options.path, "state directory");
    for (const directory of [dirname(path), path, codexHome, work, ledger])
      await ensurePrivateDirectory(directory, "instance directory");
  };
  await ensureDirectories();
  const run = join(path, "run");
  let sockets = await openSocketDirectory(run);
  const repair = async (): Promise<void> => {
    await ensureDirectories();
    const reachable = await stat(run).catch(() => null);
    if (reachable === null) sockets = await openSocketDirectory(run);
  };
  const touch = (): void => {
    const now = new Date(options.wallClock());
    // Fails only if the directory was removed; then there is nothing to keep alive.
    utimes(path, now, now).catch(() => undefined);
  };
  touch();
  const touchTimer = setInterval(touch, touchIntervalMs);
  touchTimer.unref();
  const release = async (): Promise<void> => {
    clearInterval(touchTimer);
    await removeSocketDirectory(run);
    // If children are still recorded, keep the owner's name, so that a later service reaps them only after this process
    // ended.
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
    repair,
    socketPath: (generation) => makeSocketPath(sockets, generation),
    close: () => {
      closing ??= release().catch((error: unknown) => {
        // Somebody removed the state directory; there is nothing left to release.
        if (!isSystemError(error, "ENOENT")) throw error;
      });
      return closing;
    },
  };
}

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, including the final NUL. */
const maxSocketPathBytes = 103;
const shortPrefix = "codex-api-";

function makeSocketPath(directory: string, generation: number): string {
  return join(directory, `g${generation}.sock`);
}

/**
 * Creates a directory for sockets at `path` and returns it. If `path` is too long for a socket, creates a private directory
 * with a short path in the temporary directory and returns that; a link to it at `path` lets a later cleanup find it.
 */
async function openSocketDirectory(path: string): Promise<string> {
  await removeSocketDirectory(path);
  // On Windows there are no unix sockets; the directory stays empty, and the length of its path does not matter.
  if (process.platform === "win32" || fits(path)) {
    await ensurePrivateDirectory(path, "socket directory");
    return path;
  }
  for (const parent of [tmpdir(), "/tmp"]) {
    if (!fits(join(parent, `${shortPrefix}XXXXXX`))) continue;
    // mkdtemp creates it with mode 0700 and never reuses an existing directory.
    const short = await mkdtemp(join(parent, shortPrefix));
    await symlink(short, path);
    return short;
  }
  throw unavailable(
    "The state directory's path is too long for a unix socket. Set CODEX_NATIVE_API_STATE_DIR to a shorter one.",
  );
}

/** Removes the directory; if it is a link to a short one, removes both. */
async function removeSocketDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSymbolicLink()) {
    const short = await readlink(path);
    // Follow only links that this module made; just remove any other link.
    if (/^codex-api-[A-Za-z0-9]{6}$/.test(basename(short))) await removeTree(short);
  }
  await removeTree(path);
}

function fits(directory: string): boolean {
  return Buffer.byteLength(makeSocketPath(directory, 999_999)) <= maxSocketPathBytes;
}
