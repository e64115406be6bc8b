/** The machine that the configuration depends on: its platform, its directories, and its files. */
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

/** The computer that the service runs on. Tests use made-up ones. */
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

/** Takes mode and text from one open file, so that the checked file is the file read. */
function readTextFile(path: string): FileRead {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, "r");
    const mode = process.platform === "win32" ? 0 : fstatSync(descriptor).mode;
    const text = readFileSync(descriptor, "utf8");
    return { kind: "text", text, isPrivate: isPrivateMode(path, mode), isOpen: (mode & 0o002) !== 0 };
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", reason: code };
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/**
 * Whether nobody else may read or write the file at this absolute path. A credential that systemd hands to a unit (`LoadCredential=`) belongs to root and names the
 * unit's user in an access list, whose mask shows as the bits of the group. Only root makes files in that folder.
 */
export function isPrivateMode(path: string, mode: number): boolean {
  const isCredential = /^\/run\/credentials\/[^/]+\/[^/]+$/.test(path);
  return (mode & (isCredential ? 0o037 : 0o077)) === 0;
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "unknown error";
}

/** The text of a file that only its owner may read or write, or why it cannot be used. */
export function readPrivateFile(
  path: string,
  machine: Machine,
): { readonly text: string } | { readonly problem: string } {
  const file = machine.readFile(path);
  if (file.kind !== "text") return { problem: describeUnread(path, file) };
  if (file.isPrivate) return file;
  return { problem: `others may read or write ${path}; allow only yourself (chmod 600)` };
}

/** Why a file could not be read. */
export function describeUnread(path: string, file: Exclude<FileRead, { readonly kind: "text" }>): string {
  return file.kind === "missing" ? `there is no file ${path}` : `${path} cannot be read (${file.reason})`;
}

/** `~/` is the home directory; any other relative path starts from `baseDir`. */
export function resolvePath(path: string, baseDir: string, { homeDir }: Machine): string {
  if (path === "~" || path.startsWith("~/")) return join(homeDir, path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(baseDir, path);
}

const folder = "codex-native-api";

/** The config file's place by the platform's convention. */
export function locateDefaultConfigFile(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.APPDATA || win32.join(homeDir, "AppData", "Roaming"), folder, "config.json");
  const xdg = xdgDirectory(env.XDG_CONFIG_HOME, homeDir, ".config");
  return posix.join(platform === "darwin" ? macDirectory(homeDir) : xdg, folder, "config.json");
}

/** The state directory's place by the platform's convention. */
export function locateDefaultStateDir(machine: Machine, env: Environment): string {
  const { homeDir, platform } = machine;
  if (platform === "win32")
    return win32.join(env.LOCALAPPDATA || win32.join(homeDir, "AppData", "Local"), folder, "state");
  if (platform === "darwin") return posix.join(macDirectory(homeDir), folder, "state");
  return posix.join(xdgDirectory(env.XDG_STATE_HOME, homeDir, ".local/state"), folder);
}

function macDirectory(homeDir: string): string {
  return posix.join(homeDir, "Library", "Application Support");
}

/** The XDG rules say to ignore a relative path. */
function xdgDirectory(value: string | undefined, homeDir: string, fallback: string): string {
  return value !== undefined && posix.isAbsolute(value) ? value : posix.join(homeDir, fallback);
}
