import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const databaseName = "logs_2.sqlite";
const databaseFiles = /^logs_\d+\.sqlite(?:-wal|-shm|-journal)?$/;

export interface LogDatabaseOptions {
  /** An own CODEX_HOME; never the user's. */
  readonly codexHome: string;
  readonly codexVersion: string;
  /** What the last app-server said on stderr if it failed to start; null otherwise. */
  readonly previousFailure: string | null;
}

/**
 * Keeps Codex from logging every event at TRACE level to a database in the own home: 250 KB written to disk per turn, and
 * with a WebSocket backend the prompts with it. No setting turns it off (openai/codex#43378, #31132).
 *
 * Since 0.169 Codex goes on without the database when it cannot be opened, so a directory is put in its place; 0.150 does
 * not start then, so for older versions the files are only removed at each start. Should a later version refuse again, its
 * words on stderr say so, and the directory is taken away for the next attempt.
 */
export async function keepLogDatabaseSmall(options: LogDatabaseOptions): Promise<"blocked" | "emptied"> {
  const { codexHome, codexVersion, previousFailure } = options;
  const refused = previousFailure !== null && /sqlite|state runtime|database/i.test(previousFailure);
  const block = toleratesMissingDatabase(codexVersion) && !refused;
  for (const entry of await readdir(codexHome, { withFileTypes: true })) {
    if (!databaseFiles.test(entry.name)) continue;
    if (block && entry.name === databaseName && entry.isDirectory()) continue;
    await rm(join(codexHome, entry.name), { recursive: true, force: true });
  }
  if (!block) return "emptied";
  await mkdir(join(codexHome, databaseName), { recursive: true });
  return "blocked";
}

/** What the log databases in an own home take on disk, in bytes. */
export async function measureLogDatabase(codexHome: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(codexHome, { withFileTypes: true })) {
    if (!entry.isFile() || !databaseFiles.test(entry.name)) continue;
    // One that is removed meanwhile takes nothing.
    bytes += (await stat(join(codexHome, entry.name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

function toleratesMissingDatabase(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major > 0 || minor >= 169;
}
