import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { unitMark } from "./service-manager.js";

/** What lies at a unit's place. */
export type UnitState = "none" | "ours" | "another's";

export async function inspectUnit(path: string): Promise<UnitState> {
  try {
    return (await readFile(path, "utf8")).includes(unitMark) ? "ours" : "another's";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "none";
    throw error;
  }
}

export async function writeUnit(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}

export async function removeUnit(path: string): Promise<void> {
  await rm(path, { force: true });
}
