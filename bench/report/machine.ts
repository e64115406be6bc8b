import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packageVersion } from "../../src/main/version.js";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { testCodexVersion } from "../../test/support/codex-version.js";

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  /** Of the last minute, in running processes: a machine that was not idle shows in the figures. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface VersionFacts {
  readonly node: string;
  readonly codex: string;
  readonly package: string;
  /** Null outside a checkout. */
  readonly commit: string | null;
  readonly libraries: Readonly<Record<string, string>>;
}

export function readMachineFacts(loadBefore: number): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release()}`,
    loadBefore,
    loadAfter: readLoad(),
  };
}

export function readLoad(): number {
  return loadavg()[0] ?? Number.NaN;
}

export async function readVersionFacts(): Promise<VersionFacts> {
  return {
    node: process.version,
    codex: testCodexVersion,
    package: packageVersion,
    commit: await readCommit(),
    libraries: await readLibraryVersions(["undici", "openai", "ws"]),
  };
}

async function readLibraryVersions(names: readonly string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const name of names) {
    // From `build/bench/report`. Not every package exports its package.json, so it is read as a file.
    const file = fileURLToPath(new URL(`../../../node_modules/${name}/package.json`, import.meta.url));
    const described: unknown = JSON.parse(await readFile(file, "utf8"));
    versions[name] = isJsonObject(described) ? String(described.version) : "unknown";
  }
  return versions;
}

async function readCommit(): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["describe", "--always", "--dirty"]);
    return stdout.trim();
  } catch {
    // An unpacked archive, or no git: the version says enough.
    return null;
  }
}
