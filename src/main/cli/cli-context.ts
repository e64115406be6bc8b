import type { Readable } from "node:stream";
import type { Environment, Machine } from "../config/machine.js";
import type { CreateRuntime } from "./private-runtime.js";
import type { RunProgram } from "./program-runner.js";
import type { CreateService, ProcessEvents } from "./serve.js";

export interface TextOutput {
  readonly isTTY?: boolean;
  /** `written` is called once the text is taken, with the error if it was not. */
  write(text: string, written?: (error?: Error | null) => void): unknown;
}

export type TextInput = Readable & { readonly isTTY?: boolean };

/** Everything the commands need of the process they run in. */
export interface CliContext {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdin: TextInput;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly machine: Machine;
  readonly events: ProcessEvents;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly createService: CreateService;
  readonly createRuntime: CreateRuntime;
  readonly runProgram: RunProgram;
  /** What runs here, for a service manager to run it again. */
  readonly self: {
    /** Absolute. */
    readonly nodePath: string;
    /** Absolute. */
    readonly cliPath: string;
    readonly userId: number;
  };
  /** Ends the process: once a served service is down, or when someone will not wait for a clean end. */
  readonly exit: (code: number) => void;
}
