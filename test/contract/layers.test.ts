import { existsSync } from "node:fs";
import t from "tap";
import {
  findCycles,
  findForbiddenEdges,
  findLayer,
  findStrayPackages,
  layers,
} from "../support/import-layers.js";
import { parseSource, readSources, type SourceFile } from "../support/source-imports.js";

const sources = readSources("src");
const imports = sources.flatMap((source) => source.imports);

/** A made-up file, to see that the test would notice. */
function sourceOf(path: string, text: string): SourceFile {
  return parseSource(path, text);
}

t.test("every source file belongs to a layer", async (t) => {
  t.ok(sources.length > 50);
  t.strictSame(
    sources.map(({ path }) => path).filter((path) => findLayer(path) === null),
    [],
  );
});

t.test("every relative import names a file that is there", async (t) => {
  const local = imports.filter(({ isLocal }) => isLocal);
  t.strictSame(
    local.filter(({ to }) => !existsSync(to)).map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

t.test("imports point down", async (t) => {
  t.strictSame(findForbiddenEdges(sources), []);
});

t.test("the layers themselves point down", async (t) => {
  const names = layers.map(({ name }) => name);
  for (const { name, mayImport } of layers) {
    for (const target of mayImport) {
      t.ok(names.includes(target), `${target} is a layer`);
      t.ok(names.indexOf(target) > names.indexOf(name), `${name} is above ${target}`);
    }
  }
});

t.test("there are no import cycles", async (t) => {
  t.strictSame(findCycles(sources), []);
});

t.test("main knows of the workers only their contract, and workers nothing of main", async (t) => {
  const crossing = imports.filter(
    ({ from, to, isLocal }) => isLocal && from.split("/")[1] !== to.split("/")[1],
  );
  const wrong = crossing.filter(
    ({ from, to }) => !(from.startsWith("src/main/") && to.startsWith("src/workers/contract/")),
  );
  t.strictSame(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

t.test("the contract imports zod and types of node, nothing else", async (t) => {
  const outside = imports.filter(({ from, isLocal }) => from.startsWith("src/workers/contract/") && !isLocal);
  const wrong = outside.filter(
    ({ to, isTypeOnly }) => to !== "zod" && !(isTypeOnly && to.startsWith("node:")),
  );
  t.strictSame(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

t.test("each package is imported where it belongs", async (t) => {
  t.strictSame(findStrayPackages(sources), []);
});

t.test("schemas of answers are loaded for the OpenAPI document only", async (t) => {
  const isOfSchemas = (path: string) => /^src\/main\/(dialects|http)\/.*\bwire-[a-z-]+\.ts$/.test(path);
  const loaded = imports.filter(({ to, isTypeOnly }) => isOfSchemas(to) && !isTypeOnly);
  t.strictSame(
    loaded
      .filter(({ from }) => !isOfSchemas(from) && !from.startsWith("src/main/http/openapi/"))
      .map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

t.test("routes leave mapping to the dialects: no app-server, pool or file system in http", async (t) => {
  const http = imports.filter(({ from }) => from.startsWith("src/main/http/"));
  const wrong = http.filter(
    ({ to }) => to === "node:fs" || to === "node:fs/promises" || to === "node:child_process",
  );
  t.strictSame(wrong, []);
});

t.test("dialects are pure: no sockets, files, processes or clocks of node", async (t) => {
  const pure = imports.filter(({ from, isLocal }) => from.startsWith("src/main/dialects/") && !isLocal);
  const allowed = new Set(["zod", "node:crypto"]);
  t.strictSame(
    pure.filter(({ to }) => !allowed.has(to)).map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

t.test(
  "only the cli touches argv, env, signals and the exit of the process, and nobody the console",
  async (t) => {
    const reserved =
      /^(console\..*|process\.(exit|exitCode|abort|argv|env|on|once|addListener|stdin|stdout|stderr))$/;
    const outside = sources.filter(({ path }) => path !== "src/main/cli.ts");
    const uses = outside.flatMap(({ path, globalUses }) => globalUses.map((use) => ({ path, ...use })));
    t.strictSame(
      uses.filter(({ text }) => reserved.test(text)).map(({ path, line, text }) => `${path}:${line} ${text}`),
      [],
    );
    t.strictSame(
      imports.filter(({ to }) => to === "node:process" || to === "node:console").map(({ from }) => from),
      [],
    );
  },
);

t.test("an import of every form is seen", async (t) => {
  const text = [
    'import { a } from "./a.js";',
    'import type { B } from "./b.js";',
    'import { type C } from "./c.js";',
    'export * from "./d.js";',
    'export type { E } from "./e.js";',
    'const f = await import("../http/f.js");',
    'type G = import("zod").ZodType;',
    'import "@scope/name/part";',
  ].join("\n");
  const found = sourceOf("src/main/config/x.ts", text).imports.map(({ to, isTypeOnly }) => [to, isTypeOnly]);
  t.strictSame(found, [
    ["src/main/config/a.ts", false],
    ["src/main/config/b.ts", true],
    ["src/main/config/c.ts", true],
    ["src/main/config/d.ts", false],
    ["src/main/config/e.ts", true],
    ["src/main/http/f.ts", false],
    ["zod", true],
    ["@scope/name", false],
  ]);
});

t.test("an edge that points up is found", async (t) => {
  const upward = sourceOf("src/main/config/x.ts", 'import { s } from "../service.js";');
  t.strictSame(findForbiddenEdges([upward]), [
    "src/main/config/x.ts:1 (config) imports src/main/service.ts (service)",
  ]);
  const crossing = sourceOf("src/workers/turn/x.ts", 'import type { E } from "../../main/errors.js";');
  t.match(findForbiddenEdges([crossing]), [/\(worker turn\) imports src\/main\/errors\.ts/]);
  const runtimeFromHttp = sourceOf("src/main/http/x.ts", 'import { R } from "../runtime/runtime.js";');
  t.match(findForbiddenEdges([runtimeFromHttp]), [
    /\(http\) imports src\/main\/runtime\/runtime\.ts \(runtime\)/,
  ]);
});

t.test("a cycle is found", async (t) => {
  const a = sourceOf("src/main/config/a.ts", 'import { b } from "./b.js";');
  const b = sourceOf("src/main/config/b.ts", 'import type { A } from "./a.js";');
  t.strictSame(findCycles([a, b]), ["src/main/config/a.ts -> src/main/config/b.ts -> src/main/config/a.ts"]);
});

t.test("a stray package and a stray global are found", async (t) => {
  const text = 'import { Piscina } from "piscina";\nprocess.exit(1);\nconsole.log(1);';
  const stray = sourceOf("src/main/http/x.ts", text);
  t.strictSame(findStrayPackages([stray]), ["src/main/http/x.ts:1 imports piscina"]);
  t.strictSame(stray.globalUses, [
    { text: "process.exit", line: 2 },
    { text: "console.log", line: 3 },
  ]);
});
