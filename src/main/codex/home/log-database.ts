import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "./private-files.js";

const databaseName = "logs_2.sqlite";
const databaseFiles = /^logs_\d+\.sqlite(?:-wal|-shm|-journal)?$/;

export interface LogDatabaseOptions {
  /** The service's own CODEX_HOME; never the user's. */
  readonly codexHome: string;
  readonly codexVersion: string;
  /** Stderr of the last app-server if it failed to start; null otherwise. */
  readonly previousFailure: string | null;
}

/**
 * Keeps Codex from logging every event at TRACE level to a database in the service's own home: that would write 250 KB to
 * disk per turn, with a WebSocket backend the prompts too. No setting turns it off (openai/codex#43378, #31132).
 *
 * Since 0.169 Codex runs without the database if it cannot open it, so a directory is put in its place. 0.150 does not start
 * then; for versions before 0.169 the files are only removed at each start. If a later version refuses to start again, its
 * stderr shows it, and the directory is removed for the next attempt.
 */
export async function keepLogDatabaseSmall(options: LogDatabaseOptions): Promise<"blocked" | "emptied"> {
  const { codexHome, codexVersion, previousFailure } = options;
  const refused = previousFailure !== null && /sqlite|state runtime|database/i.test(previousFailure);
  const block = toleratesMissingDatabase(codexVersion) && !refused;
  for (const entry of await readdir(codexHome, { withFileTypes: true })) {
    if (!databaseFiles.test(entry.name)) continue;
    if (block && entry.name === databaseName && entry.isDirectory()) continue;
    await removeTree(join(codexHome, entry.name));
  }
  if (!block) return "emptied";
  await mkdir(join(codexHome, databaseName), { recursive: true });
  return "blocked";
}

/** Size on disk of the log databases in a Codex home, in bytes. */
export async function measureLogDatabase(codexHome: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(codexHome, { withFileTypes: true })) {
    if (!entry.isFile() || !databaseFiles.test(entry.name)) continue;
    // A file that was removed meanwhile counts as 0.
    bytes += (await stat(join(codexHome, entry.name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

function toleratesMissingDatabase(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major > 0 || minor >= 169;
}
