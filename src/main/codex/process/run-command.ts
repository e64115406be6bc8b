import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { ByteTail } from "../../../workers/contract/byte-tail.js";
import { limits } from "../../../workers/contract/limits.js";
import { createDeferred, settlesWithin, waitWithin } from "../../../workers/contract/wait.js";

export interface CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** Aborting kills the command. */
  readonly signal?: AbortSignal | undefined;
}

export type CommandResult =
  | {
      readonly outcome: "exited";
      readonly code: number;
      readonly stdout: string;
      readonly stderrTail: string;
    }
  | { readonly outcome: "signalled"; readonly signal: NodeJS.Signals; readonly stderrTail: string }
  /** `errorCode` is the system's error code, for example `ENOENT` or `EACCES`. */
  | { readonly outcome: "not_started"; readonly errorCode: string }
  | { readonly outcome: "timed_out" }
  | { readonly outcome: "aborted" }
  | { readonly outcome: "output_too_large" };

/** How long to keep reading the pipes after the process exits: a grandchild may hold them open. In milliseconds. */
const drainMs = 250;
/** How long to wait for a killed process to exit: a busy machine can be slow to end it. In milliseconds. */
const killWaitMs = 2_000;

/** Runs a short command. Never rejects, kills the command at its deadline, and keeps no more output than allowed. */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  const { command, args, env, cwd, timeoutMs, maxOutputBytes, signal } = options;
  if (signal?.aborted === true) return { outcome: "aborted" };
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    stdio: ["ignore", "pipe", "pipe"],
    // In a process group of its own, so that a wrapper script is killed together with its children.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const stdout: Buffer[] = [];
  const stderr = new ByteTail(limits.stderrTailBytes);
  const ended = createDeferred<CommandResult>();
  const overflowed = createDeferred<CommandResult>();
  let stdoutBytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.byteLength;
    if (stdoutBytes > maxOutputBytes) overflowed.resolve({ outcome: "output_too_large" });
    else stdout.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.once("error", (error: NodeJS.ErrnoException) => {
    ended.resolve({ outcome: "not_started", errorCode: error.code ?? "UNKNOWN" });
  });
  child.once("exit", async (code, signal) => {
    await settlesWithin(once(child, "close"), drainMs);
    const stderrTail = stripVTControlCharacters(String(stderr)).trim();
    if (signal !== null) return ended.resolve({ outcome: "signalled", signal, stderrTail });
    const output = Buffer.concat(stdout).toString("utf8");
    ended.resolve({ outcome: "exited", code: code ?? -1, stdout: output, stderrTail });
  });
  const result = await waitWithin(
    Promise.race([ended.promise, overflowed.promise]),
    { timeoutMs, signal },
    (end): CommandResult => ({ outcome: end === "timeout" ? "timed_out" : "aborted" }),
  );
  killGroup(child);
  await settlesWithin(ended.promise, killWaitMs);
  child.stdout.destroy();
  child.stderr.destroy();
  return result;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It ended just now; its `exit` event follows.
  }
}
