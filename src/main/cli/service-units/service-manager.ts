/** A unit for a platform's service manager, and the commands that operate it. Pure: nothing here touches a system. */
import type { Variable } from "./shell-settings.js";

export interface UnitFacts {
  /** Absolute. */
  readonly nodePath: string;
  /** Absolute. */
  readonly cliPath: string;
  /** Behind `serve`. */
  readonly serveArguments: readonly string[];
  /** PATH of the installing shell: service managers have their own, which may lack `codex`. */
  readonly searchPath: string;
  /** Proxies and certificates of that shell. */
  readonly network: readonly Variable[];
  /** Longest time for a stop, drain included. */
  readonly stopTimeoutMs: number;
}

export interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Whether to continue when this one fails. */
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
  /** Path of the environment file; null where the manager reads none. */
  readonly environmentPath: string | null;
  readonly afterWriting: readonly Program[];
  readonly beforeRemoving: readonly Program[];
  readonly afterRemoving: readonly Program[];
  readonly status: Program;
  /** Exit codes of `status` for a service that is stopped or not installed. */
  readonly notRunningCodes: readonly number[];
  /** Limits of the installed service, for people. */
  readonly hint: string;
  renderUnit(facts: UnitFacts): string;
  readLogs(request: LogRequest): Program;
}

/** Marks every unit of ours, so that the command never replaces or removes another. */
export const unitMark = "Written by `codex-native-api service install`";

export function program(command: string, ...args: readonly string[]): Program {
  return { command, arguments: args, mayFail: false };
}
