/** Hosts of the published package: strict TypeScript of each module system, and programs bundled by esbuild. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import t, { type Test } from "tap";
import ts from "typescript";
import { type HostHarness, prepareHost } from "../support/host-harness.js";
import { decide, isDecision } from "../support/offline-backend/decisions.js";
import { text } from "../support/offline-backend/index.js";
import { installPackage, packPackage } from "../support/packed-package.js";

const run = promisify(execFile);
const hostSource = fileURLToPath(new URL("../../../test/support/host-of-everything.ts", import.meta.url));

t.setTimeout(400_000);

const { tarball } = await packPackage(t);
const project = await installPackage(t, tarball, ["@openai/codex", "@types/node"]);
const program = (await readFile(hostSource, "utf8")).replace("../../src/main/index.js", "codex-native-api");
await writeFile(join(project, "host.ts"), program);
await writeFile(
  join(project, "tests.ts"),
  `import { type OfflineBackend, startOfflineBackend, text } from "codex-native-api/testing";
  export async function startModel(): Promise<OfflineBackend> {
    const backend = await startOfflineBackend({ maxRecorded: 10 });
    backend.queueReply(text("hello"), ({ body }) => text(body.model));
    return backend;
  }`,
);
await writeFile(join(project, "host.cts"), program);
// Before TypeScript 5.8, and in `node16` ever, no CommonJS file may import an ES module but like this.
await writeFile(
  join(project, "importing.cts"),
  `import type { CodexNativeApiSettings } from "codex-native-api" with { "resolution-mode": "import" };
  async function main(settings: CodexNativeApiSettings): Promise<void> {
    const { CodexNativeApiService, createConfig } = await import("codex-native-api");
    const created = createConfig(settings);
    if (!created.ok) throw new Error(created.faults.map(({ problem }) => problem).join());
    const service = new CodexNativeApiService({ config: created.config, environment: process.env });
    await service.start();
    const { ready } = await service.untilSettled();
    await service.stop();
    process.stdout.write(JSON.stringify({ ready }));
  }
  void main(JSON.parse(process.argv[2] ?? "{}"));`,
);

/** Runs one of the project's programs on the real Codex. */
async function runHost({ settings, environment }: HostHarness, file: string) {
  const argv = [join(project, file), JSON.stringify(settings)];
  return run(process.execPath, argv, { cwd: project, env: environment, timeout: 60_000 });
}

async function prepare(t: Test): Promise<HostHarness> {
  const host = await prepareHost(t);
  host.backend.setDefaultReply((request) =>
    isDecision(request) ? decide(request) : text('{"intent":"command"}'),
  );
  return host;
}

/** What the host of everything says at its end. */
const allWell = {
  tasks: ["command", "COMMAND", "direct_native", "bad_request"],
  decided: ["0.75", "billing", "direct_native", "stated", "predicate"],
  reconnected: true,
  metrics: true,
};

interface Built {
  readonly status: ts.ExitStatus;
  readonly faults: readonly string[];
}

/** What `tsc --build` says of each project, by its name. The projects share the declarations that it reads. */
function buildProjects(paths: readonly string[]): ReadonlyMap<string, Built> {
  const formatHost = ts.createCompilerHost({});
  let faults: string[] = [];
  const report = (fault: ts.Diagnostic) => void faults.push(ts.formatDiagnostic(fault, formatHost));
  const host = ts.createSolutionBuilderHost(ts.sys, undefined, report);
  const builder = ts.createSolutionBuilder(host, paths, {});
  const built = new Map<string, Built>();
  for (let next = builder.getNextInvalidatedProject(); next; next = builder.getNextInvalidatedProject()) {
    faults = [];
    built.set(basename(next.project, ".json"), { status: next.done(), faults });
  }
  return built;
}

t.test(
  "strict hosts of each module system compile with the package's own dependencies and Node's types",
  async (t) => {
    const settings = {
      nodenext: { module: "nodenext", files: ["host.ts", "tests.ts", "host.cts", "importing.cts"] },
      node16: { module: "node16", files: ["host.ts", "tests.ts", "importing.cts"] },
      bundler: { module: "esnext", moduleResolution: "bundler", files: ["host.ts", "tests.ts"] },
      node10: {
        module: "commonjs",
        moduleResolution: "node10",
        ignoreDeprecations: "6.0",
        files: ["host.ts", "tests.ts"],
      },
    };
    for (const [name, { files, ...options }] of Object.entries(settings)) {
      const compilerOptions = {
        ...options,
        target: "es2023",
        lib: ["es2023"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        rootDir: ".",
        outDir: name,
      };
      await writeFile(join(project, `${name}.json`), JSON.stringify({ compilerOptions, files }));
    }
    const names = Object.keys(settings);
    const built = buildProjects(names.map((name) => join(project, `${name}.json`)));
    for (const name of names)
      t.strictSame(built.get(name), { status: ts.ExitStatus.Success, faults: [] }, name);
    const host = await prepare(t);
    t.strictSame(await runHost(host, "node16/importing.cjs"), { stdout: '{"ready":true}', stderr: "" });
  },
);

/** One of the project's programs in one file, as the options say. */
async function bundle(source: string, name: string, options: BuildOptions): Promise<string> {
  const outfile = `bundles/${name}`;
  await build({
    entryPoints: [join(project, source)],
    outfile: join(project, outfile),
    bundle: true,
    platform: "node",
    target: "node20.19",
    ...options,
  });
  return outfile;
}

/** What esbuild leaves to hosts that bundle CommonJS into ES modules, such as this one's pino. */
const withRequire = {
  js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
};

for (const format of ["esm", "cjs"] as const) {
  const extension = format === "esm" ? "mjs" : "cjs";
  const banner = format === "esm" ? withRequire : {};

  t.test(`a host bundled as ${format} runs on the package, which stays external`, async (t) => {
    const host = await prepare(t);
    const file = await bundle("host.ts", `external.${extension}`, {
      format,
      banner,
      external: ["codex-native-api"],
    });
    const { stdout, stderr } = await runHost(host, file);
    t.match(JSON.parse(stdout), allWell);
    t.equal(stderr, "", "no warning of Node's");
  });

  t.test(
    `a host that bundles the package as ${format} is refused when it loads, and told what to do`,
    async (t) => {
      const host = await prepare(t);
      const files = [
        await bundle("importing.cts", `whole.${extension}`, { format }),
        await bundle("host.ts", `whole-minified.${extension}`, { format, banner, minify: true }),
      ];
      for (const file of files) {
        const ended: unknown = await runHost(host, file).catch((error: unknown) => error);
        t.match(ended, {
          code: 1,
          stdout: "",
          stderr: /Error: codex-native-api was bundled .* external: \["codex-native-api"\]/,
        });
      }
    },
  );
}
