import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../../runtime/app-server/private-files.js";
import { unitMark } from "./service-manager.js";

/** What lies at a unit's place. */
export type UnitState = "none" | "ours" | "another's";

export async function inspectUnit(path: string): Promise<UnitState> {
  try {
    return (await readFile(path, "utf8")).includes(unitMark) ? "ours" : "another's";
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "none";
    throw error;
  }
}

export async function writeUnit(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // One of before may be open to others, and this one may hold a proxy's password.
  await chmod(path, 0o600).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
  await writeFile(path, text, { mode: 0o600 });
}

export async function removeUnit(path: string): Promise<void> {
  await rm(path, { force: true });
}
