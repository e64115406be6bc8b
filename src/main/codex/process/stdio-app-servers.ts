import { CodexNativeApiError } from "../../errors.js";
import type { CodexInstallation } from "../supervision/codex-installation.js";
import type { AppServerEvents, AppServerSource } from "./app-server-source.js";
import { type HangTimes, sharedHangTimes, stdioHangTimes } from "./hang-watch.js";
import { RestartPolicy, type RestartPolicyOptions } from "./restart-policy.js";
import { closingError } from "./unavailable.js";

export interface StdioAppServersOptions extends Pick<AppServerEvents, "onReady" | "onDown"> {
  readonly installation: Pick<CodexInstallation, "prepare">;
  readonly restart: RestartPolicyOptions;
  /**
   * The last generation of a shared source that this one replaces because Codex cannot have a socket. Then only one worker
   * gets a process: several would race to refresh the login.
   */
  readonly replacesShared?: { readonly generation: number } | undefined;
}

/**
 * The source for `stdio`: each worker spawns its own app-server. This class prepares the command, and retries until it can.
 */
export class StdioAppServers implements AppServerSource {
  readonly hangTimes: HangTimes;
  readonly degraded: readonly string[];
  readonly #options: StdioAppServersOptions;
  readonly #policy: RestartPolicy;
  readonly #firstGeneration: number;
  #generation: number;
  #restarts = 0;
  #failures = 0;
  #preparing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StdioAppServersOptions) {
    const { replacesShared, restart } = options;
    this.#options = options;
    this.#policy = new RestartPolicy(restart);
    this.#generation = replacesShared?.generation ?? 0;
    this.#firstGeneration = this.#generation + 1;
    this.hangTimes = replacesShared === undefined ? stdioHangTimes : sharedHangTimes;
    this.degraded = replacesShared === undefined ? [] : ["shared_app_server"];
  }

  get isUp(): boolean {
    return this.#generation >= this.#firstGeneration;
  }

  /** Joins a running preparation. */
  start(): Promise<void> {
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = null;
    });
    return this.#preparing;
  }

  async restart(): Promise<void> {
    this.#restarts += 1;
    await this.start();
  }

  /** Needs no more than a restart: each worker keeps its old process until the turns on it have ended. */
  rotate(): Promise<void> {
    return this.restart();
  }

  async release(): Promise<void> {}

  /** Stops preparing. The processes end with their workers. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    // A failure has already rejected the call that started the preparation.
    await this.#preparing?.catch(() => {});
  }

  health(): ReturnType<AppServerSource["health"]> {
    const noProcess = { pid: null, uptimeMs: null };
    return { transport: "stdio", generation: this.#generation, restarts: this.#restarts, ...noProcess };
  }

  async #prepare(): Promise<void> {
    clearTimeout(this.#retry);
    const { installation, onReady, replacesShared } = this.#options;
    try {
      if (this.#closed) throw closingError();
      const spawn = await installation.prepare(null, true);
      if (this.#closed) throw closingError();
      this.#failures = 0;
      this.#generation += 1;
      const endpoint = { kind: "stdio", spawn } as const;
      const room = replacesShared === undefined ? {} : { maxWorkers: 1 };
      onReady({ generation: this.#generation, endpoint, pid: null, ...room });
    } catch (error) {
      if (!this.#closed) this.#retryLater(error);
      throw error;
    }
  }

  #retryLater(cause: unknown): void {
    this.#failures += 1;
    const { delayMs: retryInMs, exhausted } = this.#policy.nextTry(this.#failures);
    const reason =
      cause instanceof CodexNativeApiError ? cause.message : "The Codex app-server could not be started.";
    this.#options.onDown({
      generation: this.#generation,
      reason,
      stderrTail: null,
      retryInMs,
      isPlanned: false,
      exhausted,
      cause,
    });
    // A failure is reported through `onDown` and retried.
    this.#retry = setTimeout(() => void this.start().catch(() => {}), retryInMs).unref();
  }
}
