/** The published package, as somebody has it who installed it into an empty project. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { givenNodeOptions } from "../support/cli-harness.js";
import { findBrokenLinks } from "../support/markdown-links.js";
import { createChatGptLogin, OfflineBackend, text } from "../support/offline-backend/index.js";
import { installPackage, modules, packPackage, unpackPackage } from "../support/packed-package.js";
import { findProcessesOf } from "../support/processes.js";
import { pollUntil } from "../support/service-harness.js";

const run = promisify(execFile);
const example = fileURLToPath(new URL("../../../examples/embedded-host/main.ts", import.meta.url));

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const testExample = fileURLToPath(new URL("../../../examples/host-test/main.ts", import.meta.url));
const backendFolder = "test/support/offline-backend";

const { tarball, files } = await packPackage(t);

t.test("the package holds what is needed to run, to type and to read, and nothing else", async (t) => {
  const sources = (await listFiles("src")).filter((source) => !source.startsWith("src/page/"));
  const isDeclarationOf = (folder: string, declared: string) => (source: string) =>
    source.replace(folder, declared).replace(/\.ts$/, ".d.ts");
  const declarations = sources.map(isDeclarationOf("src", "dist"));
  const programs = [
    "main/cli",
    "main/index",
    "main/outside-bundles",
    "main/package-entry",
    "workers/entry",
    "workers/login-entry",
    "workers/account-entry",
    "testing/testing",
    "testing/demo",
  ].map((program) => `dist/${program}.js`);
  const folders = await Promise.all(
    ["docs", "config", "grafana", "prometheus", "examples", "packaging"].map(listFiles),
  );
  const results = (await listFiles("bench/results")).filter((file) => /^bench\/results\/[a-z]/.test(file));
  const roots = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "SECURITY.md",
    "package.json",
  ];
  const page = await listFiles("dist/page");
  t.match(page.map((file) => file.replace(/\.[A-Z0-9]{8}\./, ".")).sort(), [
    "dist/page/index.html",
    "dist/page/page.css",
    "dist/page/page.js",
    "dist/page/third-party.txt",
  ]);
  const chunks = files.filter((file) => /^dist\/(main|testing)\/chunk-[A-Z0-9]+\.js$/.test(file));
  // Those of the backend that `testing.ts` reaches.
  const ofTesting = files.filter((file) => /^dist\/testing\/[a-z-]+\.d\.ts$/.test(file));
  const parts = (await listFiles(backendFolder)).map(isDeclarationOf(backendFolder, "dist/testing"));
  t.strictSame(
    ofTesting.filter((file) => !parts.includes(file)),
    [],
  );
  const all = [
    declarations,
    programs,
    chunks,
    page,
    ofTesting,
    ...folders,
    results,
    "bench/README.md",
    roots,
  ].flat();
  t.strictSame([...files].sort(), [...all].sort(), "after `npm run build`");
  const withMap = await Promise.all(
    files.filter((file) => file.endsWith(".js")).map((file) => readFile(file, "utf8")),
  );
  t.notOk(
    withMap.some((code) => code.includes("sourceMappingURL")),
    "no file names a map that is not there",
  );
});

t.test("the links of every page in it lead to files in it", async (t) => {
  const project = await unpackPackage(t, tarball);
  const pages = files.filter((file) => file.endsWith(".md"));
  t.ok(pages.length > 50);
  t.strictSame(findBrokenLinks(pages, project), []);
});

t.test("what package.json names is in it, and a stranger's npm runs nothing of ours", async (t) => {
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  if (!isJsonObject(manifest)) throw new Error("package.json is no object");
  const { bin, main, types, exports, typesVersions, scripts } = manifest;
  const named = JSON.stringify([bin, main, types, exports, typesVersions]).match(
    /(?<=")(\.\/)?[\w./-]+\.\w+(?=")/g,
  );
  const paths = (named ?? []).map((path) => path.replace(/^\.\//, ""));
  t.ok(paths.length >= 7);
  t.strictSame(
    paths.filter((path) => !files.includes(path)),
    [],
  );
  const hooks = ["preinstall", "install", "postinstall", "prepare", "postpack"];
  t.strictSame(
    hooks.filter((hook) => isJsonObject(scripts) && hook in scripts),
    [],
  );
});

t.test("a host's test runs on codex-native-api/testing, with Node's own runner", async (t) => {
  const project = await installPackage(t, tarball, ["@openai/codex", "@types/node"]);
  const program = (await readFile(testExample, "utf8"))
    .replace("../../src/main/index.js", "codex-native-api")
    .replace("../../test/support/offline-backend/testing.js", "codex-native-api/testing");
  await writeFile(join(project, "host.test.ts"), program);
  await writeFile(
    join(project, "tsconfig.json"),
    JSON.stringify({ ...strictConsumer, files: ["host.test.ts"] }),
  );
  const typeChecked = await run(join(modules, ".bin", "tsc"), ["-p", project]).catch(
    (error: unknown) => error,
  );
  t.match(typeChecked, { stdout: "" });
  const env = {
    ...givenNodeOptions,
    PATH: "/usr/bin:/bin",
    HOME: project,
    TMPDIR: project,
    TEST_ACCOUNT: "personal",
  };
  const argv = ["--test", "--test-reporter=tap", "host.test.js"];
  const { stdout } = await run(process.execPath, argv, { cwd: project, env });
  t.match(stdout, /^# pass 2\n# fail 0$/m, stdout);
  t.same(await findProcessesOf(project), [], "nothing is left behind");

  const command = join(project, "node_modules", "codex-native-api", "dist", "main", "cli.js");
  const demo = await run(process.execPath, [command, "demo", "--once", "--port", "0"], { cwd: project, env });
  t.match(demo.stdout, /Hello! This answer was streamed/, "the package has its demo");
});

t.test("no declaration needs a later TypeScript than 5.4", async (t) => {
  const declarations = (await listFiles("dist")).filter((file) => file.endsWith(".d.ts"));
  const texts = await Promise.all(declarations.map((file) => readFile(file, "utf8")));
  t.ok(texts.length > 0);
  // Since 5.7 the compiler writes the type of the buffer to each array of bytes.
  t.equal(/\b(Buffer|DataView|(Ui|I)nt\w*Array)<.*/.exec(texts.join("\n"))?.[0], undefined);
});

t.test("a strict TypeScript host imports it, serves, and is answered by the real Codex", async (t) => {
  const project = await installPackage(t, tarball, ["@openai/codex", "@types/node"]);
  const program = await readFile(example, "utf8");
  await writeFile(join(project, "main.ts"), program.replace("../../src/main/index.js", "codex-native-api"));
  await writeFile(join(project, "quick-start.ts"), await readQuickStart());
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(strictConsumer));
  const typeChecked = await run(join(modules, ".bin", "tsc"), ["-p", project]).catch(
    (error: unknown) => error,
  );
  t.match(typeChecked, { stdout: "" }, "no fault in its declarations, its dependencies' included");

  const backend = await OfflineBackend.start();
  t.teardown(() => backend.close());
  backend.setDefaultReply(text("Paris."));
  const userHome = join(project, "codex");
  await createChatGptLogin({ home: userHome, backend });
  const env = {
    ...backend.environment(),
    ...givenNodeOptions,
    HOME: project,
    PATH: "/usr/bin:/bin",
    CODEX_HOME: userHome,
    CODEX_NATIVE_API_STATE_DIR: join(project, "state"),
  };
  const host = spawn(process.execPath, ["main.js"], {
    cwd: project,
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(async () => {
    host.kill("SIGKILL");
    await pollUntil(async () => (await findProcessesOf(project)).length === 0);
  });
  let output = "";
  host.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  host.stdin.end("What is the capital of France?\n");
  const [code] = await once(host, "close");
  t.equal(code, 0);
  t.same(await findProcessesOf(project), [], "nothing is left behind");
  t.match(output, /^ready, Codex \d+\.\d+\.\d+\n> Paris\.\nstopped\n$/m, output);
});

/** The first block of the page that says how to embed it, as it stands there. */
async function readQuickStart(): Promise<string> {
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(await readFile("docs/hosting.md", "utf8")) ?? [];
  if (code === undefined) throw new Error("the page shows no code");
  return code;
}

const strictConsumer = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
  },
  files: ["main.ts", "quick-start.ts"],
};

t.test("its command runs, and says what to install where there is no Codex", async (t) => {
  const project = await installPackage(t, tarball);
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  const command = join(project, "node_modules", "codex-native-api", "dist", "main", "cli.js");
  t.ok((await stat(command)).mode & 0o100, "it may be executed");
  const env = { ...givenNodeOptions, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: project };
  const { stdout } = await run(command, ["--version"], { env });
  t.match(manifest, { version: stdout.trim() });
  const withoutCodex = { env: { ...givenNodeOptions, PATH: "", HOME: project } };
  const examined = await run(process.execPath, [command, "doctor"], withoutCodex).catch(
    (error: unknown) => error,
  );
  t.match(examined, { code: 1, stdout: /npm install -g @openai\/codex/ });
  const shown = await run(process.execPath, [command, "demo"], withoutCodex).catch((error: unknown) => error);
  t.match(shown, {
    code: 2,
    stdout: "",
    stderr: /^codex-native-api: Codex is not installed.*\n\n {2}npm install @openai\/codex\n\n?$/,
  });
});
