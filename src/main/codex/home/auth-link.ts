import { randomBytes } from "node:crypto";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSystemError, writePrivateFile } from "./private-files.js";

export type AuthLinkRepair =
  /** The link was correct. */
  | "intact"
  /** The link was missing and was created. */
  | "linked"
  /** The link pointed elsewhere and was replaced. */
  | "relinked"
  /** A newer login had replaced the link. It is now the user's login, and the link is restored. */
  | "moved_to_user"
  /** A login older than the user's had replaced the link. It was deleted, and the link is restored. */
  | "discarded_older";

export interface AuthLinkOptions {
  readonly userCodexHome: string;
  readonly ownCodexHome: string;
}

/** Records the link's target, since a file that has replaced the link does not say whose login it is. */
const targetRecord = ".auth-target";
/** A login on its way to the user's home. The next service to find one finishes the move. */
const movingFile = ".auth-moving.json";
const attempts = 3;

/**
 * Makes the `auth.json` of the service's own home a link to the user's again. May be called at any time, also while an
 * app-server runs. If a login has replaced the link and is the newer one, it is never lost: it is first renamed to another
 * name, which is atomic and keeps the writer's open file, and then renamed over the user's.
 */
export async function repairAuthLink(options: AuthLinkOptions): Promise<AuthLinkRepair> {
  const link = join(options.ownCodexHome, "auth.json");
  const target = join(options.userCodexHome, "auth.json");
  let rescued = await rescueLogin(options.ownCodexHome, target);
  for (let attempt = 1; ; attempt += 1) {
    const current = await readLink(link);
    if (current === target) return rescued ?? "intact";
    if (current !== null) await rm(link, { force: true });
    try {
      await writePrivateFile(join(options.ownCodexHome, targetRecord), target);
      await symlink(target, link);
      return rescued ?? (current === null ? "linked" : "relinked");
    } catch (error) {
      // Another login appeared just now; rescue it too.
      if (!isSystemError(error, "EEXIST") || attempt === attempts) throw error;
      rescued = (await rescueLogin(options.ownCodexHome, target)) ?? rescued;
    }
  }
}

/**
 * Moves a login that replaced the link to the link's target, and leaves no link behind. Resolves with null if no login had
 * replaced it. `fallbackTarget` is the target for a home that never had a link.
 */
export async function rescueLogin(
  ownCodexHome: string,
  fallbackTarget: string | null = null,
): Promise<"moved_to_user" | "discarded_older" | null> {
  const moving = join(ownCodexHome, movingFile);
  const link = join(ownCodexHome, "auth.json");
  const recorded = await readFile(join(ownCodexHome, targetRecord), "utf8").catch(() => null);
  const target = recorded ?? fallbackTarget;
  if (target === null) return null;
  let outcome = await deliver(moving, target);
  const found = await lstat(link).catch(() => null);
  if (found?.isFile()) {
    await rename(link, moving);
    outcome = (await deliver(moving, target)) ?? outcome;
  }
  return outcome;
}

async function deliver(moving: string, target: string): Promise<"moved_to_user" | "discarded_older" | null> {
  const login = await stat(moving).catch(() => null);
  if (login === null) return null;
  const destination = await resolveDestination(target);
  const users = await stat(destination).catch(() => null);
  // On equal times keep the file that replaced the link: it was written after the link was created.
  if (users !== null && users.mtimeMs > login.mtimeMs) {
    await rm(moving, { force: true });
    return "discarded_older";
  }
  await mkdir(dirname(destination), { recursive: true, mode: 0o700 });
  await chmod(moving, 0o600);
  await moveOver(moving, destination);
  return "moved_to_user";
}

/** The user's own `auth.json` may be a link too (a synced folder); then replace its target, not the link. */
async function resolveDestination(target: string): Promise<string> {
  const real = await realpath(target).catch(() => null);
  if (real !== null) return real;
  const dangling = await readLink(target);
  return dangling === null ? target : resolve(dirname(target), dangling);
}

async function moveOver(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
    const temporary = join(dirname(to), `.auth-${randomBytes(6).toString("hex")}.tmp`);
    try {
      await copyFile(from, temporary);
      const copy = await open(temporary, "r+");
      await copy.sync();
      await copy.close();
      await rename(temporary, to);
    } catch (failure) {
      await rm(temporary, { force: true });
      throw failure;
    }
    await rm(from, { force: true });
  }
}

/** Null if the path does not exist or is not a link. */
async function readLink(path: string): Promise<string | null> {
  return readlink(path).catch(() => null);
}
