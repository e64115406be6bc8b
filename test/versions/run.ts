/**
 * `npm run test:versions [-- [--versions 0.150.0,0.140.0] [file …]]`: the end-to-end tests on older versions of Codex, one
 * version and one file after the other. Exits with 1 if a test failed.
 */
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { testedCodexVersions } from "../../src/workers/contract/codex-capabilities.js";
import { fetchCodex } from "./fetch-codex.js";
import { type FileResult, runTestFile } from "./run-test-file.js";

/** Beside the newest, which is installed and which every other run of the tests is on. */
const testedVersions = testedCodexVersions.slice(0, -1).reverse();
const fileTimeoutMs = 300_000;
const suites = fileURLToPath(new URL("../e2e/", import.meta.url));
const cache = process.env.CODEX_VERSIONS_CACHE ?? join(tmpdir(), "codex-native-api-versions");

interface Row extends FileResult {
  readonly version: string;
  readonly file: string;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values, positionals } = parseArgs({
  options: { versions: { type: "string" } },
  allowPositionals: true,
});
const versions = values.versions?.split(",") ?? testedVersions;
const wanted = (name: string) =>
  positionals.length === 0 || positionals.some((word) => name.startsWith(word));
const files = (await readdir(suites)).filter((name) => name.endsWith(".test.js") && wanted(name)).sort();

const rows: Row[] = [];
for (const version of versions) {
  say(`# Codex ${version}`);
  const binary = await fetchCodex(version, cache);
  for (const file of files) {
    const result = await runTestFile(join(suites, file), binary, fileTimeoutMs);
    rows.push({ version, file: basename(file, ".test.js"), ...result });
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
