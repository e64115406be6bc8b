import { spawn } from "node:child_process";

export type ProgramEnd =
  | { readonly outcome: "exited"; readonly code: number }
  /** `errorCode` is the system's, such as `ENOENT`. */
  | { readonly outcome: "not_started"; readonly errorCode: string };

/** Runs another program on this terminal, to its end. It has no deadline of ours: it may follow a log. */
export type RunProgram = (command: string, args: readonly string[]) => Promise<ProgramEnd>;

export const runProgram: RunProgram = (command, args) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit" });
    child.once("error", (error: NodeJS.ErrnoException) => {
      resolve({ outcome: "not_started", errorCode: error.code ?? "unknown error" });
    });
    child.once("exit", (code) => resolve({ outcome: "exited", code: code ?? -1 }));
  });
