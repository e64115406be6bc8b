/**
 * `npm run test:node [-- [--node 24,26] [file …]]`: the core end-to-end tests on the newest version of these release lines of Node (or on
 * whole versions), with the newest clients, one Node and one file after the other. A deprecation warning is reported with whose it is.
 * Exits with 1 if a test failed, or if a warning is ours.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { fetchNode, readNewestNode } from "../support/fetch-node.js";
import { type FileResult, runTestFile } from "../versions/run-test-file.js";
import { type InstalledClients, installNewestClients, newestClients } from "./clients.js";
import { findDeprecatedUser, type Records, readRecords } from "./deprecations.js";

const newestLines = "24,26";
const coreFiles = [
  "responses-basics",
  "responses-chains",
  "responses-outputs",
  "responses-tools",
  "chat-completions",
  "chat-tools",
  "chat-clients",
  "web-socket",
  "decisions",
  "side-tasks",
  "service-lifecycle",
  "cli-serve",
  "embedding",
  "runtime",
  "client-ai-sdk",
  "client-langchain",
  "client-agents-sdk",
  "package",
];
const fileTimeoutMs = 700_000;
const e2e = fileURLToPath(new URL("../e2e/", import.meta.url));

interface Row extends FileResult, Records {
  readonly node: string;
  readonly file: string;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The address of a module beside this one, with what it is to know. */
function preload(name: string, knows: readonly (readonly [name: string, value: string])[]): string {
  const url = new URL(name, import.meta.url);
  for (const [key, value] of knows) url.searchParams.append(key, value);
  return `--import=${url.href}`;
}

/** One file on this Node, and so the service in it, the threads of that and what the file starts. */
async function runFile(
  node: string,
  file: string,
  { home }: InstalledClients,
): Promise<FileResult & Records> {
  const folder = await mkdtemp(join(tmpdir(), "codex-native-api-node-"));
  try {
    const records = join(folder, "records");
    const clients = newestClients.map((name) => ["client", name] as const);
    const options = [
      preload("watch-deprecations.js", [["records", records]]),
      // What is recorded is not printed. What is printed nevertheless is a thread's that was given options of its own.
      "--no-warnings",
      "--pending-deprecation",
      "--stack-trace-limit=50",
    ].join(" ");
    const ran = await runTestFile(join(e2e, `${file}.test.js`), {
      node: [
        node,
        "--enable-source-maps",
        preload("newest-clients.js", [["home", home], ["records", records], ...clients]),
      ],
      env: {
        PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
        NODE_OPTIONS: options,
        TEST_NODE_OPTIONS: options,
      },
      timeoutMs: fileTimeoutMs,
    });
    return { ...ran, ...(await readRecords(records, ran.warnings)) };
  } finally {
    await removeTree(folder);
  }
}

/** Says each warning of a file once; gives those that are ours. */
function reportDeprecations({ node, file, deprecations }: Row): readonly string[] {
  const ours: string[] = [];
  const said = new Set<string>();
  for (const deprecation of deprecations) {
    const { code, message, stack } = deprecation;
    const user = findDeprecatedUser(deprecation);
    const line = `${code} of ${user ?? "ours"}: ${message}`;
    if (said.has(line)) continue;
    said.add(line);
    say(`deprecated, ${line}`);
    if (user !== null) continue;
    say(stack);
    ours.push(`${node} ${file}: ${line}`);
  }
  return ours;
}

const { values, positionals } = parseArgs({
  options: { node: { type: "string", default: newestLines } },
  allowPositionals: true,
});
const files = positionals.length === 0 ? coreFiles : positionals;
const clients = await installNewestClients();
say(`# ${clients.names.join(", ")}`);

const rows: Row[] = [];
const failures: string[] = [];
for (const line of values.node.split(",")) {
  const node = await readNewestNode(line);
  const path = await fetchNode(node);
  say(`# Node ${node}`);
  for (const file of files) {
    const row = { node, file, ...(await runFile(path, file, clients)) };
    rows.push(row);
    const { passed, failed, skipped, report } = row;
    if (failed.length > 0) say(report);
    failures.push(...failed.map((name) => `${node} ${file}: ${name}`), ...reportDeprecations(row));
    const counts = `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`;
    say(`${failed.length === 0 ? "ok" : "NOT OK"} ${node} ${file}: ${counts}`);
  }
}

say(
  "\n| Node | file | passed | failed | skipped, and why | clients | deprecations |\n|---|---|---|---|---|---|---|",
);
for (const { node, file, passed, failed, skipped, clients: used, deprecations } of rows) {
  const reasons = skipped.map(({ name, reason }) => `${name} (${reason})`).join("; ");
  const users = [
    ...new Set(deprecations.map((each) => `${each.code} of ${findDeprecatedUser(each) ?? "ours"}`)),
  ];
  say(
    `| ${node} | ${file} | ${passed.length} | ${failed.length} | ${reasons} | ${used.join(", ")} | ${users.join("; ")} |`,
  );
}
const unused = newestClients.filter((name) => !rows.some(({ clients: used }) => used.includes(name)));
if (positionals.length === 0) failures.push(...unused.map((name) => `no file loaded the newest ${name}`));
if (failures.length > 0) say(`\nFailed:\n${failures.join("\n")}`);
process.exitCode = failures.length > 0 ? 1 : 0;
