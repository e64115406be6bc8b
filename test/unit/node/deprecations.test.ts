import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { findDeprecatedUser, readRecords } from "../../node/deprecations.js";

const frame = (path: string) => `    at call (${path}:10:4)`;
const stackOf = (...paths: readonly string[]) => ["DeprecationWarning: old", ...paths.map(frame)].join("\n");
const ours = "file:///project/build/src/main/service.js";
const theirs = "/project/node_modules/@scope/name/index.js";
const fastify = "/project/node_modules/fastify/lib/warnings.js";

t.test("a deprecation of Node's is of the code that called Node", async (t) => {
  const use = (stack: string) => findDeprecatedUser({ code: "DEP0169", message: "old", stack });
  t.equal(use(stackOf("node:internal/url", ours, theirs)), null);
  t.equal(use(stackOf("node:internal/url", theirs, ours)), "@scope/name");
  t.equal(use("DeprecationWarning: old\n    at file:///project/build/test/e2e/a.test.js:3:1"), null);
  t.equal(use(stackOf("/host/node_modules/codex-native-api/dist/main/cli.js", theirs)), null);
});

t.test("a deprecation of a library's is ours if we called the library, even through another", async (t) => {
  const use = (stack: string) => findDeprecatedUser({ code: "FSTDEP001", message: "old", stack });
  t.equal(use(stackOf(fastify, theirs, ours)), null);
  t.equal(use(stackOf(fastify, theirs)), "fastify");
});

t.test("a warning whose stack names nobody is not laid to anyone else", async (t) => {
  t.equal(findDeprecatedUser({ code: "DEP0170", message: "old", stack: "" }), null);
  t.equal(findDeprecatedUser({ code: "", message: "old", stack: stackOf("node:internal/url") }), null);
});

t.test("what was written down and what was only printed is read; other warnings are not", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "codex-native-api-test-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "records");
  const written = { code: "DEP0005", message: "Buffer() is deprecated", stack: stackOf(theirs) };
  await writeFile(path, `${JSON.stringify({ client: "openai" })}\n${JSON.stringify(written)}\n`);
  const printed = [
    "(node:12) [DEP0170] DeprecationWarning: The URL is invalid.",
    "(node:12) ExperimentalWarning: SQLite is an experimental feature",
  ];
  t.strictSame(await readRecords(path, printed), {
    clients: ["openai"],
    deprecations: [written, { code: "DEP0170", message: "The URL is invalid.", stack: "" }],
  });
  t.strictSame(await readRecords(join(folder, "none"), []), { clients: [], deprecations: [] });
});
