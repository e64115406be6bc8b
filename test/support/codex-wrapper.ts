/** A `codex` that passes everything to the real one, but for what a test does to its app-server. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findCodexBinary } from "../../src/main/codex/binary/codex-binary.js";
import { testCodexBin } from "./codex-version.js";

/**
 * Writes it and gives its path. `appServer` is CommonJS that is run in place of `codex app-server`: it has the real binary's
 * path as `real` and the arguments as `args`.
 */
export async function writeCodexWrapper(directory: string, appServer: string): Promise<string> {
  const { path: real } = await findCodexBinary({ configured: testCodexBin, env: {}, timeoutMs: 10_000 });
  const path = join(directory, "codex");
  const script = `#!${process.execPath}
const { spawn, spawnSync } = require("node:child_process");
const { existsSync, rmSync } = require("node:fs");
const { createInterface } = require("node:readline");
const real = ${JSON.stringify(real)};
const args = process.argv.slice(2);
if (args[0] !== "app-server") process.exit(spawnSync(real, args, { stdio: "inherit" }).status ?? 1);
${appServer}
`;
  await writeFile(path, script);
  await chmod(path, 0o700);
  return path;
}
