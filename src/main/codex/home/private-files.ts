import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { CodexNativeApiError } from "../../errors.js";
import { unavailable } from "../process/unavailable.js";

/** Creates a directory that only this user can enter, or checks that an existing one is private. */
export async function ensurePrivateDirectory(path: string, name: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(path, { mode: 0o700 });
    // The umask may have removed the user's own rights too.
    await chmod(path, 0o700);
    return;
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw unusable(name, "cannot be created", error);
  }
  const found = await stat(path).catch((error: unknown) => {
    throw unusable(name, "cannot be read", error);
  });
  if (!found.isDirectory()) throw unusable(name, "is not a directory");
  if (process.platform === "win32") return;
  if (process.getuid !== undefined && found.uid !== process.getuid())
    throw unusable(name, "belongs to another user");
  if ((found.mode & 0o077) !== 0)
    throw unusable(name, "is open to other users; run `chmod 700` on it if nobody else wrote there");
}

/** Writes a file atomically, readable by this user only. */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const removalAttempts = 10;
const removalRetryMs = 50;

/**
 * Removes a directory, or a file, with all that is in it; nothing there is fine. Codex may still be writing to it: a file made
 * between the listing of a directory and its removal fails the removal, which then begins again, for half a second at most.
 *
 * Not `maxRetries` of `rm`: that retries on each level of the tree, so that its bound grows with the depth.
 */
export async function removeTree(path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rm(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (attempt === removalAttempts || !isInUse(error)) throw error;
      await delay(removalRetryMs);
    }
  }
}

/** Whether a directory could not be removed because another process uses it. Windows says EPERM too. */
function isInUse(error: unknown): boolean {
  return ["ENOTEMPTY", "EBUSY", "EPERM"].some((code) => isSystemError(error, code));
}

export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function unusable(name: string, why: string, cause?: unknown): CodexNativeApiError {
  return unavailable(`The ${name} ${why}. Set CODEX_NATIVE_API_STATE_DIR to use another one.`, cause);
}
