/** The published package, packed and installed as a host has it. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Test } from "tap";
import { isJsonObject } from "../../src/workers/contract/json.js";
import { makeTemporaryDirectory } from "./runtime-harness.js";

type WithTeardown = Pick<Test, "teardown">;

const run = promisify(execFile);

/** Where this repository has its packages. */
export const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** Packs what `npm run build` has made. */
export async function packPackage(
  t: WithTeardown,
): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
  const root = await makeTemporaryDirectory(t);
  const argv = ["pack", "--json", "--ignore-scripts", "--offline", "--pack-destination", root];
  const { stdout } = await run("npm", argv);
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout);
  if (packed === undefined) throw new Error("npm packed nothing");
  return { tarball: join(root, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** The tarball's files, by themselves. */
export async function unpackPackage(t: WithTeardown, tarball: string): Promise<string> {
  const folder = await makeTemporaryDirectory(t);
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", folder]);
  return folder;
}

/**
 * Installs the tarball into a project of its own with the packages that it depends on and none other, as npm does with a registry, which
 * may be out of reach. `besides` are the host's own packages. All are copies, so that none finds a package that only this repository
 * has; but the Codex is a link, being large.
 */
export async function installPackage(
  t: WithTeardown,
  tarball: string,
  besides: readonly string[] = [],
): Promise<string> {
  const project = await makeTemporaryDirectory(t);
  const own = join(project, "node_modules", "codex-native-api");
  await mkdir(own, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", own]);
  for (const name of await findNeeded([...(await readDependencies(own)), ...besides])) {
    const copy = join(project, "node_modules", name);
    await mkdir(dirname(copy), { recursive: true });
    if (name === codex) await symlink(join(modules, name), copy);
    else await cp(join(modules, name), copy, { recursive: true });
  }
  await writeFile(join(project, "package.json"), '{"type": "module"}');
  return project;
}

const codex = "@openai/codex";

async function readDependencies(directory: string): Promise<readonly string[]> {
  const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
  const { dependencies } = isJsonObject(manifest) ? manifest : {};
  return isJsonObject(dependencies) ? Object.keys(dependencies) : [];
}

/** The packages and all that they need. A second version of one lies in the folder of what needs it, and is copied with that. */
async function findNeeded(names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set(names);
  for (const name of found) {
    if (name === codex) continue;
    for (const needed of await readDependencies(join(modules, name))) found.add(needed);
  }
  return found;
}
