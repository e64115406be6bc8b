/**
 * `npm run test:busy [-- WORD …]`: the tests of `npm test`, or those whose path has one of the words in it, while as many processes
 * as there are cores, two at least, compute without pause. What passes in quiet and fails here hangs on the machine's speed.
 * Exits as tap does.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { startCpuLoad } from "./cpu-load.js";

/** tap gives a file four minutes; with half of each core it may take twice its time. */
const fileTimeoutS = 480;

const tests = fileURLToPath(new URL("../", import.meta.url));
const words = process.argv.slice(2);

const names = await readdir(tests, { recursive: true });
const files = names
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .map((name) => relative(process.cwd(), join(tests, name)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test file has ${words.join(" or ")} in its path.\n`);
  process.exit(1);
}

const manifest = createRequire(import.meta.url).resolve("tap/package.json");
const load = await startCpuLoad(Math.max(2, availableParallelism()));
process.stdout.write(`${files.length} test files beside busy processes ${load.pids.join(", ")}\n`);
try {
  const tap = spawn(
    process.execPath,
    [join(dirname(manifest), "dist/esm/run.mjs"), `--timeout=${fileTimeoutS}`, ...files],
    { stdio: "inherit" },
  );
  // The terminal's Ctrl-C reaches tap by itself; a signal to this process alone does not.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => tap.kill(signal));
  const [code] = await once(tap, "exit");
  process.exitCode = typeof code === "number" ? code : 1;
} finally {
  await load.stop();
}
