import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { resolve } from "node:path";

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

/** What the configuration depends on beside flags, variables and files. Tests have others. */
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
