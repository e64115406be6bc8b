import { stat } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandResult, runCommand } from "../process/run-command.js";
import { closingError, unavailable } from "../process/unavailable.js";
import { findBinaryBehindLauncher, findPackagedBinary, isExecutable } from "./codex-package.js";

/** Where the binary was found: at the configured place, on PATH, or in an installed npm package. */
export type CodexBinarySource = "configured" | "path" | "package";

export interface CodexBinary {
  /** Absolute path of the native executable, not of the npm launcher around it. */
  readonly path: string;
  readonly source: CodexBinarySource;
  /** As `--version` prints it, such as `0.169.0`. */
  readonly version: string;
}

export interface FindCodexBinaryOptions {
  /** An absolute path, or a name to look up on PATH; null to search the usual places. */
  readonly configured: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Deadline for `codex --version`. */
  readonly timeoutMs: number;
  /** Aborting kills the `codex --version` command. */
  readonly signal?: AbortSignal | undefined;
}

type Located = Omit<CodexBinary, "version">;

const maxVersionBytes = 16 * 1024;

/**
 * Locates Codex and asks it for its version. Rejects with `native_runtime_unavailable` and a message that says what to do.
 */
export async function findCodexBinary(options: FindCodexBinaryOptions): Promise<CodexBinary> {
  const located = await locateCodexBinary(options);
  return { ...located, version: await readVersion(located, options) };
}

/** Locates the binary without running it, so the result may turn out not to be Codex. Rejects like `findCodexBinary`. */
export async function locateCodexBinary({
  configured,
  env,
}: Pick<FindCodexBinaryOptions, "configured" | "env">): Promise<Located> {
  if (configured !== null) {
    const path = isAbsolute(configured) ? configured : await lookUpOnPath(configured, env);
    if (path === null || !(await isFile(path)))
      throw unavailable(`The configured Codex binary was not found. ${whereToSet}`, configured);
    return { path: await unwrap(path), source: "configured" };
  }
  const onPath = await lookUpOnPath("codex", env);
  if (onPath !== null) return { path: await unwrap(onPath), source: "path" };
  const packaged = await findPackagedBinary(dirname(fileURLToPath(import.meta.url)));
  if (packaged !== null) return { path: packaged, source: "package" };
  throw unavailable(
    "Codex is not installed: no `codex` on PATH. Install it with `npm install -g @openai/codex`, or set " +
      "CODEX_NATIVE_API_CODEX_BIN to its path.",
  );
}

const whereToSet = "Correct CODEX_NATIVE_API_CODEX_BIN, or unset it to use `codex` on PATH.";

/**
 * Identifies the file at a path and its state: the text changes when the file is replaced or rewritten. Null if there is
 * none.
 */
export async function identifyFile(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : `${path} ${found.dev} ${found.ino} ${found.size} ${found.mtimeMs}`;
}

async function unwrap(path: string): Promise<string> {
  return (await findBinaryBehindLauncher(path)) ?? path;
}

async function lookUpOnPath(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const windows = process.platform === "win32";
  const directories = (env.PATH ?? (windows ? env.Path : undefined) ?? "").split(delimiter);
  const suffixes = windows ? [".exe", ".cmd", ""] : [""];
  for (const directory of directories) {
    // A relative entry would make the result depend on the working directory.
    if (!isAbsolute(directory)) continue;
    for (const suffix of suffixes) {
      const candidate = join(directory, name + suffix);
      if ((await isFile(candidate)) && (await isExecutable(candidate))) return candidate;
    }
  }
  return null;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function readVersion(located: Located, options: FindCodexBinaryOptions): Promise<string> {
  const result = await runCommand({
    command: located.path,
    args: ["--version"],
    // A launcher script needs PATH to find its interpreter; printing a version needs nothing else.
    env: { PATH: options.env.PATH ?? "" },
    timeoutMs: options.timeoutMs,
    maxOutputBytes: maxVersionBytes,
    signal: options.signal,
  });
  if (result.outcome === "aborted") throw closingError();
  const version =
    result.outcome === "exited" && result.code === 0
      ? /\bcodex\S*\s+v?(\d+\.\d+\.\d+\S*)/.exec(result.stdout)?.[1]
      : undefined;
  if (version !== undefined) return version;
  throw unavailable(`${describeFailure(result)} ${adviceFor(located.source)}`, { located, result });
}

function describeFailure(result: Exclude<CommandResult, { readonly outcome: "aborted" }>): string {
  switch (result.outcome) {
    case "not_started":
      return result.errorCode === "EACCES"
        ? "The Codex binary is not executable."
        : `The Codex binary cannot be started (${result.errorCode}).`;
    case "timed_out":
      return "The Codex binary did not answer `--version` in time.";
    case "signalled":
      return `The Codex binary was ended by ${result.signal}.`;
    case "output_too_large":
    case "exited":
      return "The program found is not Codex: it does not answer `--version` as Codex does.";
  }
}

function adviceFor(source: CodexBinarySource): string {
  switch (source) {
    case "configured":
      return whereToSet;
    case "path":
      return "Check that `codex --version` works in a shell, or set CODEX_NATIVE_API_CODEX_BIN.";
    case "package":
      return "Install @openai/codex again, or set CODEX_NATIVE_API_CODEX_BIN.";
  }
}
