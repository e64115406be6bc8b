import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CodexNativeApiError } from "../../errors.js";
import { unavailable } from "./unavailable.js";

/** Makes a directory that only this user can enter, or checks that an existing one is so. */
export async function ensurePrivateDirectory(path: string, name: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(path, { mode: 0o700 });
    // The umask may have taken more away than others' rights.
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

/** Replaces a file in one step, readable by this user only. */
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

export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function unusable(name: string, why: string, cause?: unknown): CodexNativeApiError {
  return unavailable(`The ${name} ${why}. CODEX_NATIVE_API_STATE_DIR can name another one.`, cause);
}
