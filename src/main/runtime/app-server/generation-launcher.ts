import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import { AppServerProcess } from "./app-server-process.js";
import type { PidLedger } from "./pid-ledger.js";
import { unavailable } from "./unavailable.js";

export interface LaunchOptions {
  /**
   * Called before each generation: mends the login link, re-reads the user's configuration, builds the command.
   * `previousFailure` is what the last generation said on stderr if it never got ready; null otherwise.
   */
  readonly prepare: (generation: number, previousFailure: string | null) => Promise<SpawnSpec>;
  readonly socketPath: (generation: number) => string;
  readonly ledger: PidLedger;
  /** From spawn until the socket accepts a connection. */
  readonly startTimeoutMs: number;
}

/** A process that accepts connections. */
export interface Generation {
  readonly number: number;
  readonly process: AppServerProcess;
  readonly pid: number;
  readonly socketPath: string;
}

/** Counts generations and brings up one at a time. */
export class GenerationLauncher {
  readonly #options: LaunchOptions;
  readonly #over: AbortSignal;
  #lastGeneration = 0;
  #newborn: AppServerProcess | null = null;
  #previousFailure: string | null = null;
  #ran = false;

  /** Nothing is spawned once `over` is aborted. */
  constructor(options: LaunchOptions, over: AbortSignal) {
    this.#options = options;
    this.#over = over;
  }

  /** The last generation tried; 0 before the first. */
  get lastGeneration(): number {
    return this.#lastGeneration;
  }

  /** The process brought up last, whether it is ready or not: whoever closes must end it too. */
  get newborn(): AppServerProcess | null {
    return this.#newborn;
  }

  /** Whether the last launch got as far as a process. */
  get ran(): boolean {
    return this.#ran;
  }

  get previousFailure(): string | null {
    return this.#previousFailure;
  }

  /** Rejects with why it did not get ready; then there is no process left of it. */
  async launch(): Promise<Generation> {
    this.#over.throwIfAborted();
    this.#lastGeneration += 1;
    const number = this.#lastGeneration;
    const { prepare, ledger, startTimeoutMs } = this.#options;
    this.#ran = false;
    const spawn = await prepare(number, this.#previousFailure);
    this.#over.throwIfAborted();
    // The preparation may have made the sockets' directory anew.
    const socketPath = this.#options.socketPath(number);
    const process = new AppServerProcess({ spawn, socketPath, ledger, startTimeoutMs });
    this.#newborn = process;
    this.#ran = true;
    try {
      await process.start();
    } catch (error) {
      this.#previousFailure = process.stderrTail;
      throw error;
    }
    this.#previousFailure = null;
    if (process.pid === null) throw unavailable("The Codex app-server has no pid.");
    return { number, process, pid: process.pid, socketPath };
  }
}
