/** What a platform's service manager needs to run `serve`, and the commands that tell it so. Pure: nothing here touches a system. */

import type { Variable } from "./shell-settings.js";

export interface UnitFacts {
  /** Absolute. */
  readonly nodePath: string;
  /** Absolute. */
  readonly cliPath: string;
  /** Behind `serve`. */
  readonly serveArguments: readonly string[];
  /** PATH of the shell that installs it: service managers start with one of their own, in which `codex` may be missing. */
  readonly searchPath: string;
  /** Its proxies and certificates. */
  readonly network: readonly Variable[];
  /** How long a stop may take, drain included. */
  readonly stopTimeoutMs: number;
}

export interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Whether the rest goes on when this one fails. */
  readonly mayFail: boolean;
}

export interface LogRequest {
  readonly lines: number;
  readonly follow: boolean;
}

export interface ServiceManager {
  /** Its name, for people. */
  readonly name: string;
  readonly unitPath: string;
  /** Where the environment file is looked for; null where there is none. */
  readonly environmentPath: string | null;
  readonly afterWriting: readonly Program[];
  readonly beforeRemoving: readonly Program[];
  readonly afterRemoving: readonly Program[];
  readonly status: Program;
  /** What `status` ends with for a service that does not run or is not there. */
  readonly notRunningCodes: readonly number[];
  /** What the service does not do by itself, for people. */
  readonly hint: string;
  renderUnit(facts: UnitFacts): string;
  readLogs(request: LogRequest): Program;
}

/** In every unit of ours, so that no other is replaced or removed. */
export const unitMark = "Written by `codex-native-api service install`";

export function program(command: string, ...args: readonly string[]): Program {
  return { command, arguments: args, mayFail: false };
}
