/** What the configuration depends on beside flags, variables and files: the platform, its directories, and reading files. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { isAbsolute, join, posix, resolve, win32 } from "node:path";

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type FileRead =
  | {
      readonly kind: "text";
      readonly text: string;
      /** Nobody else may read or write it. */
      readonly isPrivate: boolean;
      /** Anyone may write it. */
      readonly isOpen?: boolean;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The computer that the service runs on. Tests have others. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
  readonly workingDir: string;
  readonly cores: number;
  readonly readFile: (path: string) => FileRead;
}

export function readMachine(): Machine {
  return {
    platform: process.platform,
    homeDir: homedir(),
    workingDir: resolve(),
    cores: availableParallelism(),
    readFile: readTextFile,
  };
}

/** Mode and text are taken from one open file, so that what was checked is what was read. */
function readTextFile(path: string): FileRead {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, "r");
    const mode = process.platform === "win32" ? 0 : fstatSync(descriptor).mode;
    const text = readFileSync(descriptor, "utf8");
    return { kind: "text", text, isPrivate: (mode & 0o077) === 0, isOpen: (mode & 0o002) !== 0 };
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", reason: code };
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "unknown error";
}

/** The text of a file that only its owner may read or write, or what is wrong with it. */
export function readPrivateFile(
  path: string,
  machine: Machine,
): { readonly text: string } | { readonly problem: string } {
  const file = machine.readFile(path);
  if (file.kind === "missing") return { problem: `there is no file ${path}` };
  if (file.kind === "unreadable") return { problem: `${path} cannot be read (${file.reason})` };
  if (file.isPrivate) return file;
  return { problem: `others may read or write ${path}; allow only yourself (chmod 600)` };
}

/** `~/` is the home directory, anything relative starts from `baseDir`. */
export function resolvePath(path: string, baseDir: string, { homeDir }: Machine): string {
  if (path === "~" || path.startsWith("~/")) return join(homeDir, path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(baseDir, path);
}

const folder = "codex-native-api";

/** Where each platform keeps a user's configuration. */
export function locateDefaultConfigFile(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.APPDATA || win32.join(homeDir, "AppData", "Roaming"), folder, "config.json");
  if (platform === "darwin")
    return posix.join(homeDir, "Library", "Application Support", folder, "config.json");
  return posix.join(xdgDirectory(env.XDG_CONFIG_HOME, homeDir, ".config"), folder, "config.json");
}

/** Where each platform keeps a program's state. */
export function locateDefaultStateDir(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.LOCALAPPDATA || win32.join(homeDir, "AppData", "Local"), folder, "state");
  if (platform === "darwin") return posix.join(homeDir, "Library", "Application Support", folder, "state");
  return posix.join(xdgDirectory(env.XDG_STATE_HOME, homeDir, ".local/state"), folder);
}

/** The XDG rules say to ignore a relative path. */
function xdgDirectory(value: string | undefined, homeDir: string, fallback: string): string {
  return value !== undefined && posix.isAbsolute(value) ? value : posix.join(homeDir, fallback);
}
