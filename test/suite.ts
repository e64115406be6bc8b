/**
 * What `npx tap` runs: every test file, each in a process of its own.
 *
 * tap starts a file with module hooks that record which sources it loads, for coverage and for `--changed`, and hands them on to every Node
 * that the file starts. Nobody reads the records here, and each of those processes takes 0.3 s of a core for them, so the files
 * run without. A file that is named to tap (`npx tap build/test/unit/…`) has them.
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

/** Of tap's own settings, which it hands to its processes. */
const timeoutMs = Number(process.env.TAP_TIMEOUT) * 1_000;

/** `t.spawn` puts its hooks into NODE_OPTIONS. The process that the shell becomes has the shell's id and its channel to tap. */
const withoutHooks = ["-c", 'unset NODE_OPTIONS; exec "$@"', "sh"];

const tests = fileURLToPath(new URL(".", import.meta.url));
const names = await readdir(tests, { recursive: true });
const files = names.filter((name) => name.endsWith(".test.js")).sort();

t.setTimeout(0);
t.jobs = Number(process.env.TAP_JOBS);
t.plan(files.length);
for (const file of files) {
  const path = join(tests, file);
  const name = relative(process.cwd(), path);
  const argv = [...withoutHooks, process.execPath, "--enable-source-maps", path];
  void t.spawn("/bin/sh", argv, { buffered: true, timeout: timeoutMs, at: null, stack: "" }, name);
}
