import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** What the tests of one file came to, by name. */
export interface FileResult {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly Skipped[];
  /** The end of what a file with failures said, in TAP and on stderr. */
  readonly report: string;
  /** The warnings of Node's that it printed. */
  readonly warnings: readonly string[];
}

export interface TestFileOptions {
  /** Node's path, and its own arguments. */
  readonly node?: readonly [path: string, ...argv: readonly string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const maxReportLines = 400;

/** Runs one compiled tap file. One that ends badly, or not at all, has a failure of its own. */
export async function runTestFile(
  path: string,
  { node: [node, ...argv] = [process.execPath], env, timeoutMs }: TestFileOptions,
): Promise<FileResult> {
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: Skipped[] = [];
  const lines: string[] = [];
  const warnings: string[] = [];
  const child = spawn(node, [...argv, path], {
    // tap alone gives a file 30 s. This is a run by hand, on a machine that may have other work.
    env: { ...process.env, TAP: "1", TAP_TIMEOUT: "600", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const keep = (line: string) => {
    lines.push(line);
    if (lines.length > maxReportLines) lines.shift();
  };
  createInterface({ input: child.stderr }).on("line", (line) => {
    keep(line);
    if (/^\(node:\d+\) .*Warning: /.test(line) && warnings.length < maxReportLines) warnings.push(line);
  });
  const output = createInterface({ input: child.stdout }).on("line", (line) => {
    keep(line);
    const point = readTestPoint(line);
    if (point === null) return;
    if (point.skip !== null) skipped.push({ name: point.name, reason: point.skip });
    else (point.ok ? passed : failed).push(point.name);
  });
  const [code] = await Promise.all([
    new Promise<number | null>((resolve) => child.once("exit", resolve)),
    new Promise((resolve) => output.once("close", resolve)),
  ]);
  clearTimeout(timer);
  if (timedOut) failed.push(`the file did not end within ${timeoutMs} ms`);
  else if (code !== 0 && failed.length === 0) failed.push(`the file ended with code ${code}`);
  else if (passed.length + failed.length + skipped.length === 0) failed.push("the file has no test");
  return { passed, failed, skipped, report: failed.length === 0 ? "" : lines.join("\n"), warnings };
}

/** A top-level test point of TAP 14: `not ok 3 - name # time=1ms`, `ok 4 - name # SKIP reason`. */
export function readTestPoint(
  line: string,
): { readonly ok: boolean; readonly name: string; readonly skip: string | null } | null {
  const point = /^(not )?ok \d+(?: - )?(.*?)(?:\s*\{)?$/.exec(line);
  if (point === null) return null;
  const [name = "", ...directives] = (point[2] ?? "").split(/\s+(?<!\\)#\s+/);
  const skip = directives
    .map((text) => /^SKIP\S*\s*(.*)$/i.exec(text)?.[1])
    .find((text) => text !== undefined);
  return { ok: point[1] === undefined, name: name.replaceAll("\\#", "#"), skip: skip ?? null };
}
