/**
 * What `npx tap` runs: every test file, each in a process of its own, several at a time.
 *
 * tap starts a file with module hooks that record which sources it loads, for coverage and for `--changed`, and hands them on to every Node
 * that the file starts. Nobody reads the records here, and each of those processes takes 0.3 s of a core for them, so the files
 * run without. A file that is named to tap (`npx tap build/test/unit/…`) has them.
 *
 * A file that failed is run once more when all others are over, alone, if no more than a few failed: the machine is shared, and what fails
 * only in the crowd is told on stderr with its first failures, to be mended, while the rest of the suite keeps its word. `TEST_RETRIES=0`
 * turns this off.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

t.setTimeout(0);

/** Of tap's own settings, which it hands to its processes. */
const timeoutMs = Number(process.env.TAP_TIMEOUT) * 1_000;
const jobs = Number(process.env.TAP_JOBS);

/** More than this many failures are no accident of the crowd. */
const maxRetriedFiles = Number(process.env.TEST_RETRIES ?? 3);

/** A file ends itself at tap's time-out, or at the one that it sets for itself, and prints what it was doing. One that hangs has this long. */
const lastResortMs = 1_200_000;

interface FileRun {
  readonly path: string;
  /** A path that one can give to tap, and whether the file took too long. */
  readonly name: string;
  /** What it printed. */
  readonly tapFile: string;
  readonly code: number;
}

const tests = fileURLToPath(new URL(".", import.meta.url));
const results = await mkdtemp(join(tmpdir(), "codex-native-api-suite-"));
const { NODE_OPTIONS: _hooks, ...environment } = process.env;

async function runFile(path: string, attempt: number): Promise<FileRun> {
  const name = relative(process.cwd(), path);
  const tapFile = join(results, `${relative(tests, path).replaceAll("/", "-")}-${attempt}.tap`);
  const output = await open(tapFile, "w");
  try {
    const child = spawn(process.execPath, ["--enable-source-maps", path], {
      env: environment,
      stdio: ["ignore", output.fd, "inherit"],
    });
    const kill = setTimeout(() => child.kill("SIGKILL"), lastResortMs);
    const [code] = await once(child, "close");
    clearTimeout(kill);
    const isLate = child.killed;
    return {
      path,
      name: isLate ? `${name} (ended after ${lastResortMs / 1_000} s)` : name,
      tapFile,
      code: typeof code === "number" ? code : 1,
    };
  } finally {
    await output.close();
  }
}

async function runAll(paths: readonly string[], report: (run: FileRun) => void): Promise<void> {
  const waiting = [...paths];
  const lane = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift())
      report(await runFile(path, 1));
  };
  await Promise.all(Array.from({ length: jobs }, lane));
}

/** Gives tap what a file printed, as if the file had printed it now. */
function tell({ name, tapFile, code }: FileRun): void {
  const argv = ["-c", 'cat "$1"; exit "$2"', "sh", tapFile, String(code)];
  void t.spawn("/bin/sh", argv, { buffered: true, timeout: timeoutMs, at: null, stack: "" }, name);
}

async function retry(first: FileRun): Promise<FileRun> {
  const second = await runFile(first.path, 2);
  if (second.code !== 0) return second;
  const printed = await readFile(first.tapFile, "utf8");
  const failures = printed.split("\n").filter((line) => /^\s*not ok /.test(line));
  process.stderr.write(
    `\npassed at its second try, alone: ${first.name}\n${failures.slice(0, 10).join("\n")}\n`,
  );
  return second;
}

const names = await readdir(tests, { recursive: true });
const files = names.filter((name) => name.endsWith(".test.js")).sort();

t.jobs = jobs;
t.plan(files.length);
t.teardown(() => rm(results, { recursive: true, force: true }));
const failed: FileRun[] = [];
await runAll(
  files.map((file) => join(tests, file)),
  (run) => {
    if (run.code === 0) tell(run);
    else failed.push(run);
  },
);
for (const run of failed) tell(failed.length > maxRetriedFiles ? run : await retry(run));
