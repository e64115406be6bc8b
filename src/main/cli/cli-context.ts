import type { Readable } from "node:stream";
import type { Environment, Machine } from "../config/machine.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import type { Logger } from "../observability/logger.js";
import type { CreateRuntime } from "./private-runtime.js";
import type { RunProgram } from "./program-runner.js";

/** What `serve` needs of a service; `CodexNativeApiService` is one. */
export interface ServableService {
  start(): Promise<unknown>;
  /** Lets work in flight finish, for as long as the configuration says. */
  stop(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
  /** Takes another configuration as far as that needs no restart. */
  reload(config: CodexNativeApiConfig): Promise<unknown>;
}

export type CreateService = (options: {
  readonly config: CodexNativeApiConfig;
  readonly logger: Logger;
}) => Promise<ServableService>;

export interface ProcessEvents {
  readonly onSignal: (listener: (signal: string) => void) => void;
  /** SIGHUP: somebody wants the configuration read anew, or the terminal the process ran in is gone. */
  readonly onHangup: (listener: (isTerminalGone: boolean) => void) => void;
  /** An exception that nobody caught: the state of the process is unknown from here on. */
  readonly onCrash: (listener: (error: unknown) => void) => void;
}

export interface TextOutput {
  readonly isTTY?: boolean;
  /** `written` is called once the text is taken, with the error if it was not. */
  write(text: string, written?: (error?: Error | null) => void): unknown;
}

type TextInput = Readable & { readonly isTTY?: boolean };

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
