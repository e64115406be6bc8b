/** The published package, as somebody has it who installed it into an empty project. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { createChatGptLogin, OfflineBackend, text } from "../support/offline-backend/index.js";
import { findProcessesOf } from "../support/processes.js";
import { makeTemporaryDirectory } from "../support/runtime-harness.js";
import { pollUntil } from "../support/service-harness.js";

type WithTeardown = Pick<Test, "teardown">;

const run = promisify(execFile);
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const example = fileURLToPath(new URL("../../../examples/embedded-host/main.ts", import.meta.url));

/** Packs what `npm run build` has made. */
async function pack(
  t: WithTeardown,
): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
  const root = await makeTemporaryDirectory(t);
  const argv = ["pack", "--json", "--ignore-scripts", "--offline", "--pack-destination", root];
  const { stdout } = await run("npm", argv);
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout);
  if (packed === undefined) throw new Error("npm packed nothing");
  return { tarball: join(root, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Unpacks it as npm does, with the packages it depends on and none other, since the registry may be out of reach. */
async function install(t: WithTeardown, besides: readonly string[] = []): Promise<string> {
  const project = await makeTemporaryDirectory(t);
  const own = join(project, "node_modules", "codex-native-api");
  await mkdir(own, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", own]);
  const manifest: unknown = JSON.parse(await readFile(join(own, "package.json"), "utf8"));
  const dependencies =
    isJsonObject(manifest) && isJsonObject(manifest.dependencies) ? manifest.dependencies : {};
  for (const name of [...Object.keys(dependencies), ...besides]) {
    await mkdir(dirname(join(project, "node_modules", name)), { recursive: true });
    await symlink(join(modules, name), join(project, "node_modules", name));
  }
  await writeFile(join(project, "package.json"), '{"type": "module"}');
  return project;
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const { tarball, files } = await pack(t);

t.test("the package holds what is needed to run, to type and to read, and nothing else", async (t) => {
  const declarations = (await listFiles("src")).map((source) =>
    source.replace(/^src/, "dist").replace(/\.ts$/, ".d.ts"),
  );
  const programs = [
    "main/cli",
    "main/index",
    "workers/entry",
    "workers/login-entry",
    "workers/account-entry",
  ].map((program) => `dist/${program}.js`);
  const documents = [...(await listFiles("docs")), ...(await listFiles("config"))];
  const roots = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"];
  const chunks = files.filter((file) => /^dist\/main\/chunk-[A-Z0-9]+\.js$/.test(file));
  t.strictSame(
    [...files].sort(),
    [...declarations, ...programs, ...chunks, ...documents, ...roots].sort(),
    "after `npm run build`",
  );
  const withMap = await Promise.all(
    files.filter((file) => file.endsWith(".js")).map((file) => readFile(file, "utf8")),
  );
  t.notOk(
    withMap.some((code) => code.includes("sourceMappingURL")),
    "no file names a map that is not there",
  );
});

t.test("a strict TypeScript host imports it, serves, and is answered by the real Codex", async (t) => {
  const project = await install(t, ["@openai/codex", "@types/node"]);
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
  const project = await install(t);
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  const command = join(project, "node_modules", "codex-native-api", "dist", "main", "cli.js");
  t.ok((await stat(command)).mode & 0o100, "it may be executed");
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: project };
  const { stdout } = await run(command, ["--version"], { env });
  t.match(manifest, { version: stdout.trim() });
  const withoutCodex = { env: { PATH: "", HOME: project } };
  const examined = await run(process.execPath, [command, "doctor"], withoutCodex).catch(
    (error: unknown) => error,
  );
  t.match(examined, { code: 1, stdout: /npm install -g @openai\/codex/ });
});
