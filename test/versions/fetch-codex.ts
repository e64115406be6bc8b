import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exists, installPackages } from "../support/npm-install.js";

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
  const spec = `codex-${version}@npm:@openai/codex@${version}`;
  await installPackages(home, [spec], { timeoutMs, check: findBinary });
  return findBinary(home);
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
