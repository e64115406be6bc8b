import { type ChildProcess, spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { ByteTail } from "../../../workers/contract/byte-tail.js";
import { limits } from "../../../workers/contract/limits.js";

export interface CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** Aborting ends the command. */
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
  /** `errorCode` is the system's, such as `ENOENT` or `EACCES`. */
  | { readonly outcome: "not_started"; readonly errorCode: string }
  | { readonly outcome: "timed_out" }
  | { readonly outcome: "aborted" }
  | { readonly outcome: "output_too_large" };

/** How long pipes may stay open after the process is gone: a grandchild that holds them must not hold us. */
const drainMs = 250;
/** A busy machine may take its time to take a killed process down. */
const killWaitMs = 2_000;

/** Runs a short command to its end. Never rejects, never outlives its deadline, never keeps more output than allowed. */
export function runCommand(options: CommandOptions): Promise<CommandResult> {
  const { command, args, env, cwd, timeoutMs, maxOutputBytes, signal } = options;
  if (signal?.aborted === true) return Promise.resolve({ outcome: "aborted" });
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that a wrapper script dies together with what it started.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    const stdout: Buffer[] = [];
    const stderr = new ByteTail(limits.stderrTailBytes);
    let stdoutBytes = 0;
    let verdict: CommandResult | null = null;
    let drainTimer: NodeJS.Timeout | undefined;

    const settle = (result: CommandResult): void => {
      clearTimeout(deadline);
      clearTimeout(drainTimer);
      signal?.removeEventListener("abort", onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(verdict ?? result);
    };
    const giveUp = (result: CommandResult): void => {
      verdict ??= result;
      killGroup(child);
      drainTimer ??= setTimeout(() => settle(result), killWaitMs);
    };
    const deadline = setTimeout(() => giveUp({ outcome: "timed_out" }), timeoutMs);
    const onAbort = (): void => giveUp({ outcome: "aborted" });
    signal?.addEventListener("abort", onAbort, { once: true });

    child.stdout.on("data", (chunk: Buffer) => {
      stdoutBytes += chunk.byteLength;
      if (stdoutBytes > maxOutputBytes) giveUp({ outcome: "output_too_large" });
      else stdout.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      const stderrTail = stripVTControlCharacters(String(stderr)).trim();
      if (signal !== null) settle({ outcome: "signalled", signal, stderrTail });
      else
        settle({
          outcome: "exited",
          code: code ?? -1,
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderrTail,
        });
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      settle({ outcome: "not_started", errorCode: error.code ?? "UNKNOWN" });
    });
    child.once("exit", (code, signal) => {
      clearTimeout(drainTimer);
      drainTimer = setTimeout(() => finish(code, signal), drainMs);
    });
    child.once("close", finish);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It ended in this very moment; `close` follows.
  }
}
