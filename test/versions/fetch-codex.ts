import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where versions are kept between runs. */
export const versionsCache = process.env.CODEX_VERSIONS_CACHE ?? join(tmpdir(), "codex-native-api-versions");

/**
 * The native binary of this version of `@openai/codex`, installed with npm into a folder of its own under `cache` unless it
 * is there already. The package is aliased, so that nothing mistakes it for the one the project itself depends on.
 */
export async function fetchCodex(
  version: string,
  cache: string,
  timeoutMs: number = 10 * 60_000,
): Promise<string> {
  const home = join(cache, version);
  if (!(await exists(home))) await install(version, home, timeoutMs);
  return findBinary(home);
}

/** The version that npm gives whoever names none. */
export async function readLatestVersion(): Promise<string> {
  const { stdout } = await run("npm", ["view", "@openai/codex", "version"], { timeout: 60_000 });
  return stdout.trim();
}

async function install(version: string, home: string, timeoutMs: number): Promise<void> {
  // Installed beside and renamed when whole: an install that was cut short must not be taken for one.
  const unfinished = `${home}.${process.pid}.unfinished`;
  await mkdir(unfinished, { recursive: true });
  try {
    await writeFile(join(unfinished, "package.json"), '{"private":true}\n');
    const spec = `codex-${version}@npm:@openai/codex@${version}`;
    // Its launcher needs no scripts, and none of what is fetched here is trusted to run any.
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--include=optional", spec], {
      cwd: unfinished,
      timeout: timeoutMs,
    });
    await findBinary(unfinished);
    await rename(unfinished, home);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** `@openai/codex-<platform>-<arch>` carries `vendor/<triple>/bin/codex`; older ones `vendor/<triple>/codex/codex`. */
async function findBinary(home: string): Promise<string> {
  const vendor = join(home, "node_modules", "@openai", `codex-${process.platform}-${process.arch}`, "vendor");
  const name = process.platform === "win32" ? "codex.exe" : "codex";
  for (const triple of await readdir(vendor)) {
    for (const folder of ["bin", "codex"]) {
      const path = join(vendor, triple, folder, name);
      if (await exists(path)) return path;
    }
  }
  throw new Error(`No Codex binary under ${vendor}.`);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
