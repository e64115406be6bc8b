import type { AppServerTransport } from "../../config/codex-choices.js";
import type { CodexInstallationOptions } from "./codex-installation.js";
import type { UsageBounds } from "./usage-watch.js";

export interface CodexSupervisionOptions {
  readonly codex: CodexInstallationOptions;
  readonly appServer: AppServerTransport;
  /** Worker threads. */
  readonly workers: number;
  readonly maxConcurrentTurns: number;
  /** Version of this service, sent to Codex in the handshake. */
  readonly version: string;
  /** The only account that turns may run under; null for any. */
  readonly accountId: string | null;
  /** How many threads to start on an app-server that cannot unload them before a new one takes over. */
  readonly maxThreadsKept: number;
  /** How large Codex's log databases may grow while an app-server runs, in bytes. */
  readonly maxLogBytes: number;
  /** What an app-server may use of the machine before a new one takes over. */
  readonly usage: UsageBounds;
}

/** What supervision needs from the turns that run on its workers. */
export interface SupervisedTurns {
  /** Takes the time until a used-up plan window opens again, in milliseconds; null if none is used up. */
  noteWindow(opensInMs: number | null): void;
  /** Starts queued turns, if there is room now. */
  pump(): void;
  /** Forgets the native threads whose connection was lost. */
  forgetDeadThreads(): void;
  /** Abandons all parked turns, because their login has changed. */
  abandonParked(): void;
  /** Whether no turn runs on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean;
}
