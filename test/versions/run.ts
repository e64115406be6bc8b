/**
 * `npm run test:versions [-- [--versions 0.150.0,latest | --bin PATH] [file …]]`: the protocol test and the end-to-end tests on
 * other versions of Codex than the installed one, one version and one file after the other. Without versions: the older
 * tested ones. Tests of what the model sees run with every model and login. Exits with 1 if a test failed.
 */
import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { testedCodexVersions } from "../../src/workers/contract/codex-capabilities.js";
import { readNewestVersion } from "../support/npm-install.js";
import { fetchCodex, versionsCache } from "./fetch-codex.js";
import { type FileResult, runTestFile } from "./run-test-file.js";

/** Beside the newest, which is installed and which every other run of the tests is on. */
const testedVersions = testedCodexVersions.slice(0, -1).reverse();
const fileTimeoutMs = 700_000;
const tests = fileURLToPath(new URL("../", import.meta.url));
/** First, since it takes a second and says what changed. */
const protocolTest = join(tests, "contract", "app-server-protocol.test.js");

interface Row extends FileResult {
  readonly version: string;
  readonly file: string;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values, positionals } = parseArgs({
  options: { versions: { type: "string" }, bin: { type: "string" } },
  allowPositionals: true,
});
const wanted = (path: string) =>
  positionals.length === 0 || positionals.some((word) => basename(path).startsWith(word));

async function listFiles(): Promise<readonly string[]> {
  const names = (await readdir(join(tests, "e2e"))).filter((name) => name.endsWith(".test.js")).sort();
  return [protocolTest, ...names.map((name) => join(tests, "e2e", name))].filter(wanted);
}

/** Each binary to test, when its turn comes: a version is fetched no earlier. */
async function* findBinaries(): AsyncGenerator<readonly [version: string, path: string]> {
  if (values.bin !== undefined) {
    const path = resolve(values.bin);
    yield [
      execFileSync(path, ["--version"], { encoding: "utf8" })
        .trim()
        .replace(/^codex\S* /, ""),
      path,
    ];
    return;
  }
  for (const wish of values.versions?.split(",") ?? testedVersions) {
    const version = wish === "latest" ? await readNewestVersion("@openai/codex") : wish;
    yield [version, await fetchCodex(version, versionsCache)];
  }
}

const files = await listFiles();
const rows: Row[] = [];
for await (const [version, binary] of findBinaries()) {
  say(`# Codex ${version}`);
  for (const path of files) {
    const file = basename(path, ".test.js");
    const result = await runTestFile(path, {
      env: { TEST_CODEX_BIN: binary, PROMPT_MATRIX: "all" },
      timeoutMs: fileTimeoutMs,
    });
    rows.push({ version, file, ...result });
    if (result.failed.length > 0) say(result.report);
    const counts = `${result.passed.length} passed, ${result.failed.length} failed, ${result.skipped.length} skipped`;
    say(`${result.failed.length === 0 ? "ok" : "NOT OK"} ${version} ${file}: ${counts}`);
  }
}

say("\n| Codex | file | passed | failed | skipped, and why |\n|---|---|---|---|---|");
for (const { version, file, passed, failed, skipped } of rows) {
  const names = skipped.map(({ name, reason }) => `${name} (${reason})`).join("; ");
  say(`| ${version} | ${file} | ${passed.length} | ${failed.length} | ${names} |`);
}
const failures = rows.flatMap(({ version, file, failed }) =>
  failed.map((name) => `${version} ${file}: ${name}`),
);
if (failures.length > 0) say(`\nFailed:\n${failures.join("\n")}`);
if (rows.length === 0) say("There is no such test file.");
process.exitCode = failures.length > 0 || rows.length === 0 ? 1 : 0;
