import { lstat, mkdtemp, readlink, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ensurePrivateDirectory } from "./private-files.js";
import { unavailable } from "./unavailable.js";

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, a final NUL included. */
const maxSocketPathBytes = 103;
const shortPrefix = "codex-api-";

export function makeSocketPath(directory: string, generation: number): string {
  return join(directory, `g${generation}.sock`);
}

/**
 * A directory for sockets at `path`. Where that path is too long for a socket, a private short one in the temporary
 * directory, and at `path` a link to it, so that whoever removes the one finds the other.
 */
export async function openSocketDirectory(path: string): Promise<string> {
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
export async function removeSocketDirectory(path: string): Promise<void> {
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
