/** Packages that a command of ours runs and the project does not depend on: installed with npm into a folder of their own. */
import { execFile } from "node:child_process";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeTree } from "../../src/main/codex/home/private-files.js";

const run = promisify(execFile);

/**
 * Installs these packages into `home` unless the folder is there already. None of their scripts is run. `check` refuses an install
 * that lacks what it is for.
 */
export async function installPackages(
  home: string,
  specs: readonly string[],
  {
    timeoutMs = 10 * 60_000,
    check,
  }: { readonly timeoutMs?: number; readonly check?: (home: string) => Promise<unknown> } = {},
): Promise<void> {
  if (await exists(home)) return;
  // Installed beside and renamed when whole: an install that was cut short must not be taken for one.
  const unfinished = `${home}.${process.pid}.unfinished`;
  await mkdir(unfinished, { recursive: true });
  try {
    await writeFile(join(unfinished, "package.json"), '{"private":true,"type":"module"}\n');
    await run(
      "npm",
      ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--include=optional", ...specs],
      {
        cwd: unfinished,
        timeout: timeoutMs,
      },
    );
    await check?.(unfinished);
    await rename(unfinished, home);
  } finally {
    await removeTree(unfinished);
  }
}

/** The version that npm installs for this: a package's latest, or the newest in the range of `name@range`. */
export async function readNewestVersion(spec: string): Promise<string> {
  const { stdout } = await run("npm", ["view", spec, "version", "--json"], { timeout: 60_000 });
  const found: unknown = JSON.parse(stdout);
  const versions = (Array.isArray(found) ? found : [found]).map(String);
  const newest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (newest === undefined) throw new Error(`npm has no ${spec}.`);
  return newest;
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
