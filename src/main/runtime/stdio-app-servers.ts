import type { Logger } from "pino";
import { CodexNativeApiError } from "../errors.js";
import { RestartPolicy, type RestartPolicyOptions } from "./app-server/restart-policy.js";
import { closingError } from "./app-server/unavailable.js";
import type { AppServerSource, AppServerSourceEvents } from "./app-server-source.js";
import type { CodexInstallation } from "./codex-installation.js";
import type { HangTimes } from "./hang-watch.js";
import type { AppServerHealth } from "./types.js";

export interface StdioAppServersOptions {
  readonly installation: CodexInstallation;
  readonly events: AppServerSourceEvents;
  readonly logger: Logger;
  readonly restart: RestartPolicyOptions;
  /** Workers that get a process. Default: all. */
  readonly maxWorkers?: number;
  /** Default: late, since each worker ends a process of its own that hangs; what is replaced here is the command that starts it. */
  readonly hangTimes?: HangTimes;
  /** Generations used up before. Default 0. */
  readonly lastGeneration?: number;
}

/** Workers hold the processes; this side says what to spawn, and finds that out again until it can. */
export class StdioAppServers implements AppServerSource {
  readonly hangTimes: HangTimes;
  readonly degraded = [];
  readonly #options: StdioAppServersOptions;
  readonly #policy: RestartPolicy;
  #generation: number;
  #restarts = 0;
  #failures = 0;
  /** Why it could not be prepared, as it was told last; null while it could. */
  #lastFault: string | null = null;
  #preparing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: StdioAppServersOptions) {
    this.#options = options;
    this.#policy = new RestartPolicy(options.restart);
    this.#generation = options.lastGeneration ?? 0;
    this.hangTimes = options.hangTimes ?? { silentMs: 30_000, connectMs: 30_000 };
  }

  get isUp(): boolean {
    return this.#generation > (this.#options.lastGeneration ?? 0);
  }

  /** Joins a preparation under way. */
  start(): Promise<void> {
    this.#preparing ??= this.#prepare().finally(() => {
      this.#preparing = null;
    });
    return this.#preparing;
  }

  async restart(_reason: string): Promise<void> {
    this.#restarts += 1;
    await this.start();
  }

  /** A worker keeps the child of before for as long as a turn runs on it. */
  async rotate(reason: string): Promise<void> {
    await this.restart(reason);
  }

  release(): void {}

  /** The processes end with their workers. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopRetrying();
    // What it fails with was said to whoever asked for it.
    await this.#preparing?.catch(() => {});
  }

  health(): Omit<AppServerHealth, "loadedThreads"> {
    return {
      transport: "stdio",
      generation: this.#generation,
      pid: null,
      rssBytes: null,
      restarts: this.#restarts,
      uptimeMs: null,
    };
  }

  async #prepare(): Promise<void> {
    this.#stopRetrying();
    const { installation, events, maxWorkers = Number.POSITIVE_INFINITY } = this.#options;
    try {
      if (this.#closed) throw closingError();
      const spawn = await installation.prepare(null, true);
      if (this.#closed) throw closingError();
      this.#failures = 0;
      this.#lastFault = null;
      this.#generation += 1;
      events.onDial({
        endpoint: { kind: "stdio", spawn },
        appServerGeneration: this.#generation,
        maxWorkers,
      });
    } catch (error) {
      if (!this.#closed) this.#retryLater(error);
      throw error;
    }
  }

  #retryLater(error: unknown): void {
    this.#failures += 1;
    const { delayMs: retryInMs, exhausted } = this.#policy.nextTry(this.#failures);
    const reason =
      error instanceof CodexNativeApiError ? error.message : "The Codex app-server could not be started.";
    const fields = { event: "app_server.down", generation: this.#generation, reason, retryInMs, exhausted };
    const text = `app-server down: ${reason}`;
    // As for a shared one: what lasts is one line. Whoever waits for `start` logs the first.
    const isFirst = this.#lastFault === null && !this.isUp;
    if (isFirst || reason === this.#lastFault) this.#options.logger.debug(fields, text);
    else this.#options.logger.error(fields, text);
    this.#lastFault = reason;
    // Processes of before may run on, and take turns.
    if (!this.isUp) this.#options.events.onDown({ reason, blocked: exhausted });
    this.#retry = setTimeout(() => {
      // Failed again: it is tried again, and the log says why.
      this.start().catch(() => {});
    }, retryInMs);
    this.#retry.unref();
  }

  #stopRetrying(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }
}
