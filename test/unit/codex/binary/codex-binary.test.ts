import { chmod, mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import {
  type CodexBinary,
  type FindCodexBinaryOptions,
  findCodexBinary,
} from "../../../../src/main/codex/binary/codex-binary.js";
import { makeDirectory, type WithTeardown, writeScript } from "../fixtures.js";

const printsVersion = 'echo "codex-cli 1.2.3"';
const triples: Readonly<Record<string, readonly [string, string]>> = {
  "linux-x64": ["x86_64-unknown-linux-musl", "codex-linux-x64"],
  "linux-arm64": ["aarch64-unknown-linux-musl", "codex-linux-arm64"],
  "darwin-x64": ["x86_64-apple-darwin", "codex-darwin-x64"],
  "darwin-arm64": ["aarch64-apple-darwin", "codex-darwin-arm64"],
};

function find(
  configured: string | null,
  options: Partial<FindCodexBinaryOptions> = {},
): Promise<CodexBinary> {
  return findCodexBinary({ configured, env: { PATH: "/usr/bin:/bin" }, timeoutMs: 10_000, ...options });
}

/** An npm installation of `@openai/codex` with a script as its native binary. */
async function installPackage(
  t: WithTeardown,
): Promise<{ modules: string; launcher: string; native: string }> {
  const modules = join(await realpath(await makeDirectory(t)), "node_modules");
  const [triple = "", packageName = ""] = triples[`${process.platform}-${process.arch}`] ?? [];
  const main = join(modules, "@openai", "codex");
  const launcher = await writeScript(join(main, "bin", "codex.js"), "exit 1");
  await writeFile(join(main, "package.json"), '{"name": "@openai/codex", "version": "1.2.3"}');
  const platform = join(modules, "@openai", packageName);
  const native = await writeScript(join(platform, "vendor", triple, "bin", "codex"), printsVersion);
  await writeFile(join(platform, "package.json"), "{}");
  return { modules, launcher, native };
}

t.test("a configured path is used as it is", async (t) => {
  const path = await writeScript(join(await makeDirectory(t), "my-codex"), printsVersion);
  t.same(await find(path), { path, source: "configured", version: "1.2.3" });
});

t.test("a configured name is looked up on PATH", async (t) => {
  const directory = await makeDirectory(t);
  const path = await writeScript(join(directory, "my-codex"), printsVersion);
  const env = { PATH: `relative:${directory}:/usr/bin:/bin` };
  t.same(await find("my-codex", { env }), { path, source: "configured", version: "1.2.3" });
});

t.test("`codex` on PATH comes before the installed package", async (t) => {
  const directory = await makeDirectory(t);
  const path = await writeScript(join(directory, "codex"), printsVersion);
  const found = await find(null, { env: { PATH: `${directory}:/usr/bin:/bin` } });
  t.same(found, { path, source: "path", version: "1.2.3" });
});

t.test("without `codex` on PATH the installed package's native binary is used", async (t) => {
  const found = await find(null, { env: { PATH: "" } });
  t.equal(found.source, "package");
  t.match(found.path, /vendor[\\/].*[\\/]codex(\.exe)?$/);
  t.match(found.version, /^\d+\.\d+\.\d+/);
});

t.test("npm's launcher on PATH is resolved to the native binary behind it", async (t) => {
  const { modules, launcher, native } = await installPackage(t);
  const bin = join(modules, ".bin");
  await mkdir(bin);
  await symlink(launcher, join(bin, "codex"));
  const found = await find(null, { env: { PATH: `${bin}:/usr/bin:/bin` } });
  t.same(found, { path: native, source: "path", version: "1.2.3" });
});

t.test("pnpm's launcher script is resolved too", async (t) => {
  const { modules, native } = await installPackage(t);
  const shim = join(modules, ".bin", "codex");
  await writeScript(shim, 'basedir=$(dirname "$0")\nexec node "$basedir/../@openai/codex/bin/codex.js" "$@"');
  t.equal((await find(shim)).path, native);
});

t.test("a script that is not a launcher is run as it is", async (t) => {
  const script = await writeScript(join(await makeDirectory(t), "codex"), `# wrapper\n${printsVersion}`);
  t.equal((await find(script)).path, script);
});

t.test("a missing configured binary is reported as such", async (t) => {
  await t.rejects(find("/no/such/codex"), {
    code: "native_runtime_unavailable",
    message: /configured Codex binary was not found.*CODEX_NATIVE_API_CODEX_BIN/,
  });
  await t.rejects(find("no-such-codex"), { code: "native_runtime_unavailable" });
});

t.test("a file that is not executable is reported as such", async (t) => {
  const path = await writeScript(join(await makeDirectory(t), "codex"), printsVersion);
  await chmod(path, 0o600);
  await t.rejects(find(path), { code: "native_runtime_unavailable", message: /not executable/ });
});

t.test("a binary that does not answer is ended at the deadline", async (t) => {
  const path = await writeScript(join(await makeDirectory(t), "codex"), "sleep 600");
  await t.rejects(find(path, { timeoutMs: 300 }), { message: /did not answer `--version` in time/ });
});

t.test("a program that is not Codex is refused", async (t) => {
  const path = await writeScript(join(await makeDirectory(t), "codex"), 'echo "cowsay 1.2.3"');
  await t.rejects(find(path), { message: /is not Codex/ });
});

t.test("no message contains a path of this machine", async (t) => {
  const directory = await makeDirectory(t);
  const path = await writeScript(join(directory, "codex"), "exit 1");
  const error = await find(path).catch((reason: unknown) => reason);
  t.ok(error instanceof Error);
  t.notMatch(String(error), directory);
});
