/**
 * Reads files below folders that the host names, for a task that refers to them. Whoever names the file is not trusted: it may be a
 * link out of the folder, a device, a FIFO that never ends, or change between the check and the read.
 */
import { constants, type Stats } from "node:fs";
import { access, type FileHandle, lstat, open, readlink, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, parse, resolve, sep } from "node:path";
import { TextDecoder } from "node:util";
import { waitWithin } from "../../workers/contract/wait.js";

export const readableFileLimits = {
  maxFileBytes: 256 * 1024,
  maxTotalBytes: 1024 * 1024,
  maxFiles: 64,
  maxPathChars: 4_096,
  /** Of one task's files together. A file system of the network may hang. */
  timeoutMs: 5_000,
} as const;

export interface ReadableFile {
  /** As it was asked for. */
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
}

/** Why a file is not read. The message names the path, and does not say what exists outside of the roots. */
export class ReadableFileError extends Error {
  override readonly name = "ReadableFileError";
  readonly path: string;

  constructor(path: string, problem: string, cause?: unknown) {
    const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
    super(`${shown} ${problem}`, cause === undefined ? undefined : { cause });
    this.path = path;
  }
}

/** Why a folder cannot be a root, in a sentence; null if it can. It need not exist yet. */
export function findRootFault(root: unknown): string | null {
  if (typeof root !== "string" || !isAbsolute(root) || root.includes("\0"))
    return "It must be the absolute path of a folder.";
  const whole = resolve(root);
  if (whole === parse(whole).root) return "It must not be the whole file system.";
  return isPseudoPath(whole) ? "It must not be a file system of the kernel's." : null;
}

/** Which of the roots are of no use now, each in a sentence: one that is mistyped would otherwise only show as files that do not exist. */
export async function findUselessRoots(roots: readonly string[]): Promise<readonly string[]> {
  const { timeoutMs } = readableFileLimits;
  const found = roots.map(async (root) => {
    const problem = await waitWithin(findRootProblem(root), { timeoutMs }, () => "was not reached in time.");
    return problem === null ? [] : [`${JSON.stringify(root)} ${problem}`];
  });
  return (await Promise.all(found)).flat();
}

async function findRootProblem(root: string): Promise<string | null> {
  const real = await findRealPath(root);
  if (real === null) return "does not exist, or cannot be reached.";
  const fault = findRootFault(real);
  if (fault !== null) return `leads to ${JSON.stringify(real)}. ${fault}`;
  if (!(await stat(real).catch(() => null))?.isDirectory()) return "is not a folder.";
  return (await succeeds(access(real, constants.X_OK))) ? null : "may not be entered by this user.";
}

/** Reads the files in order, and none of them if one cannot be read. @throws ReadableFileError */
export async function readFilesBelow(
  roots: readonly string[],
  paths: readonly string[],
): Promise<readonly ReadableFile[]> {
  const { maxFiles, maxFileBytes, maxTotalBytes } = readableFileLimits;
  const excess = paths[maxFiles];
  if (excess !== undefined)
    throw new ReadableFileError(excess, `is one file too many: the limit is ${maxFiles}.`);
  const files: ReadableFile[] = [];
  let leftBytes: number = maxTotalBytes;
  for (const path of paths) {
    const file = await readFileBelow(roots, path, Math.min(maxFileBytes, leftBytes));
    leftBytes -= file.bytes;
    files.push(file);
  }
  return files;
}

/** @throws ReadableFileError */
export async function readFileBelow(
  roots: readonly string[],
  path: string,
  maxBytes: number = readableFileLimits.maxFileBytes,
): Promise<ReadableFile> {
  if (path.length > readableFileLimits.maxPathChars || path.includes("\0") || !isAbsolute(path))
    throw new ReadableFileError(path, "is not an absolute path of a file.");
  const real = await findReal(roots, path);
  const file = await openOnly(path, real);
  try {
    await checkOpened(path, real, file);
    const bytes = await readAtMost(path, file, maxBytes);
    return { path, text: decodeText(path, bytes), bytes: bytes.length };
  } catch (error) {
    throw error instanceof ReadableFileError ? error : new ReadableFileError(path, "cannot be read.", error);
  } finally {
    await file.close();
  }
}

/**
 * The path without links; it is below a root without links. `..` is taken from the path as it is written, before any link is followed:
 * a way through a folder outside would otherwise be passable, and tell so, only if that folder exists.
 */
async function findReal(roots: readonly string[], path: string): Promise<string> {
  const whole = resolve(path);
  const named = roots.filter((root) => findRootFault(root) === null);
  const realRoots = await Promise.all(named.map(findRealPath));
  const usable = realRoots.filter((root) => root !== null && findRootFault(root) === null);
  const isUsable = (real: string): boolean => usable.some((root) => root !== null && isBelow(real, root));
  const real = await findRealPath(whole);
  if (real === null) throw new ReadableFileError(path, await explainMissing(whole, isUsable));
  if (!isUsable(real) || isPseudoPath(real)) throw new ReadableFileError(path, outside);
  if (basename(real).toLowerCase() === loginFile)
    throw new ReadableFileError(path, "is a login, which is not read.");
  return real;
}

/** Skills may lie in a folder of Codex's home, and a user may name that home itself. No task has any use for the login in it. */
const loginFile = "auth.json";

/** True of everything that is not read, so that it tells nothing of what is elsewhere. */
const outside = "does not exist below a folder from which files may be read.";

/** Says more of a path that leads nowhere only if what is missing would be below a root. */
async function explainMissing(path: string, isUsable: (real: string) => boolean): Promise<string> {
  let missing = path;
  let parent = await findRealPath(dirname(missing));
  while (parent === null) {
    missing = dirname(missing);
    parent = await findRealPath(dirname(missing));
  }
  if (!isUsable(join(parent, "file"))) return outside;
  // A link that leads nowhere names what is missing, which may be anywhere.
  if (await succeeds(lstat(missing))) return outside;
  return (await succeeds(access(parent, constants.X_OK))) ? "does not exist." : "cannot be opened.";
}

async function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}

/** Null for what does not exist, or cannot be reached. */
function findRealPath(path: string): Promise<string | null> {
  return realpath(path).catch(() => null);
}

/** Does not follow a link that has come since, and does not wait for the other end of a FIFO. */
async function openOnly(path: string, real: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
  try {
    // A device may act on being opened, so that what is no file now is not opened at all.
    if (!(await stat(real)).isFile()) throw notRegular(path);
    return await open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    throw error instanceof ReadableFileError
      ? error
      : new ReadableFileError(path, "cannot be opened.", error);
  }
}

/** A folder on the way may have become a link since the check, so what counts is the file that is open now. */
async function checkOpened(path: string, real: string, file: FileHandle): Promise<void> {
  const opened = await file.stat();
  if (!opened.isFile()) throw notRegular(path);
  const isSame =
    process.platform === "linux"
      ? (await readlink(`/proc/self/fd/${file.fd}`)) === real
      : (await realpath(real)) === real && isSameFile(opened, await stat(real));
  if (!isSame) throw new ReadableFileError(path, "changed while it was read.");
  // Files of the kernel's may have no size and no end, wherever they are mounted.
  const { type } = await statfs(real);
  if (pseudoFileSystems.has(Number(type))) throw notRegular(path);
}

async function readAtMost(path: string, file: FileHandle, maxBytes: number): Promise<Buffer> {
  // One byte more shows that the file is longer, whatever size it claims to have.
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  const { maxFileBytes, maxTotalBytes } = readableFileLimits;
  throw new ReadableFileError(
    path,
    maxBytes < maxFileBytes
      ? `does not fit: the files of one task may have ${maxTotalBytes} bytes together.`
      : `is longer than ${maxFileBytes} bytes.`,
  );
}

function decodeText(path: string, bytes: Buffer): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // The same fault as a NUL: no text.
  }
  throw new ReadableFileError(path, "is not a text in UTF-8.");
}

function notRegular(path: string): ReadableFileError {
  return new ReadableFileError(path, "is not a regular file.");
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

function isPseudoPath(path: string): boolean {
  return ["/proc", "/sys", "/dev"].some((place) => path === place || isBelow(path, place));
}

/** Linux's proc, sysfs, debugfs, tracefs, cgroup, cgroup2, devpts, securityfs, bpf, configfs. */
const pseudoFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x27e0eb, 0x63677270, 0x1cd1, 0x73636673, 0xcafe4a11,
  0x62656570,
]);
