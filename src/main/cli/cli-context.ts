import type { Readable } from "node:stream";
import type { Environment, Machine } from "../config/machine.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import type { Logger } from "../observability/logger.js";
import type { Readiness } from "../runtime/types.js";
import type { CreateRuntime } from "./private-runtime.js";

/** The part of a `CodexNativeApiService` that `serve` and `demo` need. */
export interface ServableService {
  /** Resolves with the address; null where the configuration says not to start. */
  start(): Promise<{ readonly url: string | null }>;
  /** Waits until turns can run, or it is known why not. */
  untilSettled(timeoutMs: number): Promise<Readiness>;
  /** Lets work in flight finish, within the configured time. */
  stop(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
  /** Applies the values of another configuration that need no restart. */
  reload(config: CodexNativeApiConfig): Promise<unknown>;
}

export type CreateService = (options: {
  readonly config: CodexNativeApiConfig;
  readonly logger: Logger;
  /** The variables from which Codex gets its own. Default: those of this process. */
  readonly environment?: Environment;
}) => Promise<ServableService>;

/** The offline model of `demo`, and what Codex needs in its environment to use it. */
export interface DemoModel {
  readonly environment: Environment;
  close(): Promise<void>;
}

/** Starts the model, and makes `codexHome` a Codex home that is logged in there. */
export type StartDemoModel = (codexHome: string) => Promise<DemoModel>;

export interface ProcessEvents {
  readonly onSignal: (listener: (signal: string) => void) => void;
  /** SIGHUP: a request to reload the configuration, or the terminal of the process has closed. */
  readonly onHangup: (listener: (isTerminalGone: boolean) => void) => void;
  /** An uncaught exception: the state of the process is unknown from here on. */
  readonly onCrash: (listener: (error: unknown) => void) => void;
}

export interface TextOutput {
  readonly isTTY?: boolean;
  /** Width of a terminal. */
  readonly columns?: number;
  /** Calls `written` once the text is written, or with the error if that failed. */
  write(text: string, written?: (error?: Error | null) => void): unknown;
}

type TextInput = Readable & { readonly isTTY?: boolean };

/** How another program ended. */
export type ProgramEnd =
  | { readonly outcome: "exited"; readonly code: number }
  /** `errorCode` is the system's, such as `ENOENT`. */
  | { readonly outcome: "not_started"; readonly errorCode: string };

/** Everything the commands need of their process. */
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
  /** Milliseconds since any moment; never goes back. */
  readonly monotonicClock: () => number;
  /** Calls `tick` again and again until the returned function is called. Keeps no process alive. */
  readonly repeat: (everyMs: number, tick: () => void) => () => void;
  readonly createService: CreateService;
  readonly createRuntime: CreateRuntime;
  readonly startDemoModel: StartDemoModel;
  /** Runs another program on this terminal, to its end. Has no deadline, since the program may follow a log. */
  readonly runProgram: (command: string, args: readonly string[]) => Promise<ProgramEnd>;
  /** Starts another program that may outlive this process, without this terminal. A program that is still running soon after counts as ended well. */
  readonly startProgram: (command: string, args: readonly string[]) => Promise<ProgramEnd>;
  /** The program of this process, for a service manager to run. */
  readonly self: {
    /** Absolute. */
    readonly nodePath: string;
    /** Absolute. */
    readonly cliPath: string;
    readonly userId: number;
  };
  /** Ends the process: once `serve` has stopped the service, or when the user does not wait for a clean end. */
  readonly exit: (code: number) => void;
}
