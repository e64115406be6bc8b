import { access, constants, open, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

const targets: Readonly<Record<string, { readonly triple: string; readonly packageName: string }>> = {
  "linux-x64": { triple: "x86_64-unknown-linux-musl", packageName: "@openai/codex-linux-x64" },
  "linux-arm64": { triple: "aarch64-unknown-linux-musl", packageName: "@openai/codex-linux-arm64" },
  "android-arm64": { triple: "aarch64-unknown-linux-musl", packageName: "@openai/codex-linux-arm64" },
  "darwin-x64": { triple: "x86_64-apple-darwin", packageName: "@openai/codex-darwin-x64" },
  "darwin-arm64": { triple: "aarch64-apple-darwin", packageName: "@openai/codex-darwin-arm64" },
  "win32-x64": { triple: "x86_64-pc-windows-msvc", packageName: "@openai/codex-win32-x64" },
  "win32-arm64": { triple: "aarch64-pc-windows-msvc", packageName: "@openai/codex-win32-arm64" },
};

const executableName = process.platform === "win32" ? "codex.exe" : "codex";
const shimReadBytes = 4096;

/**
 * Finds the native binary of the `@openai/codex` package that a file in this directory could import; null if there is none.
 */
export async function findPackagedBinary(fromDirectory: string): Promise<string | null> {
  const manifest = await findInstalled(fromDirectory, "@openai/codex/package.json");
  return manifest === null ? null : findBinaryOfPackage(dirname(manifest));
}

/**
 * Finds the native binary behind a launcher that npm or pnpm put on PATH; null if `path` is not such a launcher. The service
 * bypasses the launcher, because it costs the start of a Node process, and because where it cannot replace itself by the
 * binary (Node before 22.15, Windows) it remains the parent, and SIGKILL would end it but not Codex.
 */
export async function findBinaryBehindLauncher(path: string): Promise<string | null> {
  const script = (await readPackageScript(path)) ?? (await readShimTarget(path));
  return script === null ? null : findBinaryOfPackage(dirname(dirname(script)));
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** npm on unix: a symbolic link to `@openai/codex/bin/codex.js`. */
async function readPackageScript(path: string): Promise<string | null> {
  const script = await realpath(path).catch(() => null);
  if (script === null || !script.endsWith(".js")) return null;
  const manifest: unknown = await readFile(join(dirname(dirname(script)), "package.json"), "utf8")
    .then((text) => JSON.parse(text))
    // Missing or damaged: not the Codex package.
    .catch(() => null);
  const isCodex =
    typeof manifest === "object" &&
    manifest !== null &&
    "name" in manifest &&
    manifest.name === "@openai/codex";
  return isCodex ? script : null;
}

/** pnpm everywhere and npm on Windows: a small script that names `@openai/codex/bin/codex.js` relative to itself. */
async function readShimTarget(path: string): Promise<string | null> {
  const head = await readHead(path);
  if (head === null) return null;
  const named = /(?:\$basedir|%~dp0|%dp0%)[\\/]+([^"'\r\n]*@openai[\\/]codex[\\/]bin[\\/]codex\.js)/.exec(
    head,
  )?.[1];
  if (named === undefined) return null;
  return realpath(join(dirname(path), named.replaceAll("\\", "/"))).catch(() => null);
}

async function readHead(path: string): Promise<string | null> {
  const file = await open(path, "r").catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(shimReadBytes), position: 0 });
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    // Treat an unreadable file as no shim; running it will show the error.
    return null;
  } finally {
    await file.close();
  }
}

async function findBinaryOfPackage(packageDirectory: string): Promise<string | null> {
  const target = targets[`${process.platform}-${process.arch}`];
  if (target === undefined) return null;
  const platformManifest = await findInstalled(packageDirectory, `${target.packageName}/package.json`);
  const roots = [
    ...(platformManifest === null ? [] : [dirname(platformManifest)]),
    // Older releases contain the binaries of all platforms themselves.
    packageDirectory,
  ];
  for (const root of roots) {
    const vendor = join(root, "vendor", target.triple);
    // `codex/` up to 0.13x, `bin/` since.
    for (const folder of ["bin", "codex"]) {
      const candidate = join(vendor, folder, executableName);
      if (await isExecutable(candidate)) return candidate;
    }
  }
  return null;
}

/** Searches `node_modules` upwards as Node does, but asynchronously. */
async function findInstalled(fromDirectory: string, file: string): Promise<string | null> {
  for (let directory = fromDirectory; ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", file);
    // Use the real path for pnpm, where the dependencies of a package are next to its real directory.
    const found = await realpath(candidate).catch(() => null);
    if (found !== null) return found;
    if (dirname(directory) === directory) return null;
  }
}
