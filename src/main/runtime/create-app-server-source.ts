import type { Logger } from "pino";
import { AppServerSupervisor, type DownAppServer } from "./app-server/app-server-supervisor.js";
import { SocketDirectoryRefused } from "./app-server/codex-socket-directory.js";
import type { RestartPolicyOptions } from "./app-server/restart-policy.js";
import { closingError } from "./app-server/unavailable.js";
import type { AppServerSource, AppServerSourceEvents, AppServerTransport } from "./app-server-source.js";
import type { CodexInstallation } from "./codex-installation.js";
import type { HangTimes } from "./hang-watch.js";
import type { Dial } from "./pool/worker-slots.js";
import { StdioAppServers } from "./stdio-app-servers.js";
import type { AppServerHealth } from "./types.js";

const restartPolicy: RestartPolicyOptions = {
  maxRestarts: 10,
  windowMs: 60_000,
  baseDelayMs: 50,
  maxDelayMs: 5_000,
  now: () => performance.now(),
  random: Math.random,
};
const hangTimes: HangTimes = { silentMs: 5_000, connectMs: 15_000 };
const startTimeoutMs = 15_000;
/** Longest that an old generation may go on with its turns. */
const retireTimeoutMs = 30 * 60_000;

export function createAppServerSource(
  transport: AppServerTransport,
  installation: CodexInstallation,
  events: AppServerSourceEvents,
  logger: Logger,
): AppServerSource {
  switch (transport.kind) {
    case "shared":
      return new SharedAppServer(installation, events, logger);
    case "stdio":
      return new StdioAppServers({ installation, events, logger, restart: restartPolicy });
    case "unix":
      return new AttachedAppServer({ kind: "unix", socketPath: transport.socketPath }, events);
    case "tcp":
      return new AttachedAppServer({ kind: "tcp", url: transport.url }, events);
  }
}

/** One process for all workers. Where Codex cannot have its sockets, one worker gets a process of its own instead. */
class SharedAppServer implements AppServerSource {
  readonly #installation: CodexInstallation;
  readonly #events: AppServerSourceEvents;
  readonly #logger: Logger;
  #supervisor: AppServerSupervisor | null = null;
  #wasReady = false;
  /** Why there is no app-server, as it was told last; null while there is one. */
  #lastFault: string | null = null;
  #fallback: StdioAppServers | null = null;
  #fallingBack: Promise<void> | null = null;
  #closed = false;

  constructor(installation: CodexInstallation, events: AppServerSourceEvents, logger: Logger) {
    this.#installation = installation;
    this.#events = events;
    this.#logger = logger;
  }

  get isUp(): boolean {
    return this.#fallback?.isUp ?? this.#supervisor?.health().pid != null;
  }

  get hangTimes(): HangTimes {
    return this.#fallback?.hangTimes ?? hangTimes;
  }

  get degraded(): readonly string[] {
    return this.#fallback === null ? [] : ["shared_app_server"];
  }

  async start(): Promise<void> {
    const { instance, ledger } = await this.#installation.open();
    if (this.#closed) throw closingError();
    const supervisor = new AppServerSupervisor({
      prepare: (_generation, previousFailure) => this.#installation.prepare(previousFailure),
      socketPath: (generation) => instance.socketPath(generation),
      ledger,
      restart: restartPolicy,
      startTimeoutMs,
      wallClock: Date.now,
      onFault: (fault, cause) => {
        this.#logger.error({ event: "app_server.fault", fault, err: cause }, fault);
      },
      onReady: ({ generation, endpoint, pid }) => {
        this.#wasReady = true;
        this.#lastFault = null;
        this.#logger.info({ event: "app_server.started", generation, pid }, "app-server started");
        this.#events.onDial({ endpoint, appServerGeneration: generation });
      },
      onDown: (down) => this.#onDown(down),
      onRetired: ({ generation, reason }) => {
        this.#logger.info({ event: "app_server.retired", generation, reason }, "app-server retired");
      },
    });
    this.#supervisor = supervisor;
    await this.#orFallBack(supervisor.start());
  }

  async restart(reason: string): Promise<void> {
    if (this.#fallback !== null) return this.#fallback.restart(reason);
    await this.#orFallBack(this.#supervisor?.restart(reason));
  }

  async rotate(reason: string): Promise<void> {
    if (this.#fallback !== null) return this.#fallback.rotate(reason);
    await this.#orFallBack(this.#supervisor?.rotate(reason, retireTimeoutMs));
  }

  release(appServerGeneration: number): void {
    this.#supervisor?.release(appServerGeneration).catch((error: unknown) => {
      this.#logger.error({ event: "app_server.release_failed", err: error }, "an old app-server did not end");
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#supervisor?.close(), this.#fallback?.close()]);
  }

  health(): Omit<AppServerHealth, "loadedThreads"> {
    if (this.#fallback !== null) return this.#fallback.health();
    const health = this.#supervisor?.health();
    return {
      transport: "shared",
      generation: health?.generation ?? 0,
      pid: health?.pid ?? null,
      rssBytes: health?.rssBytes ?? null,
      restarts: health?.restarts ?? 0,
      uptimeMs: health?.uptimeMs ?? null,
    };
  }

  #onDown(down: DownAppServer): void {
    const { generation, reason, retryInMs, exhausted, stderrTail, cause } = down;
    if (cause instanceof SocketDirectoryRefused) {
      // Why that failed, if it does, was said by the fallback itself, which goes on trying.
      this.#fallBack(cause).catch(() => {});
      return;
    }
    // The end of the last generation when the service itself closes.
    if (retryInMs === null) return;
    const fields = { event: "app_server.down", generation, reason, retryInMs, exhausted, stderrTail };
    const text = `app-server down: ${reason}`;
    // Tried again every few seconds, a fault that lasts is one line and not thousands. Whoever waits for `start` logs the first.
    const isFirst = this.#lastFault === null && !this.#wasReady && stderrTail === "";
    if (isFirst || reason === this.#lastFault) this.#logger.debug(fields, text);
    else this.#logger.error(fields, text);
    this.#lastFault = reason;
    this.#events.onDown({ reason, blocked: exhausted });
  }

  async #orFallBack(launched: Promise<void> | undefined): Promise<void> {
    try {
      await launched;
    } catch (error) {
      if (!(error instanceof SocketDirectoryRefused)) throw error;
      await this.#fallBack(error);
    }
  }

  /** For good: whoever mends the directory starts the service again. One worker, for several processes would race for the login. */
  #fallBack({ fault }: SocketDirectoryRefused): Promise<void> {
    this.#fallingBack ??= this.#startFallback(fault);
    return this.#fallingBack;
  }

  async #startFallback(fault: string): Promise<void> {
    if (this.#closed) throw closingError();
    this.#logger.error(
      { event: "app_server.socket_directory_refused", fault },
      `one worker with a process of its own takes all turns until this is mended and the service started again: ${fault}`,
    );
    const fallback = new StdioAppServers({
      installation: this.#installation,
      events: this.#events,
      logger: this.#logger,
      restart: restartPolicy,
      maxWorkers: 1,
      hangTimes,
      lastGeneration: this.#supervisor?.health().generation ?? 0,
    });
    this.#fallback = fallback;
    // It has no process; this keeps it from ever having one again.
    void this.#supervisor?.close();
    await fallback.start();
  }
}

/** Somebody else's app-server: dialled, never started or stopped. */
class AttachedAppServer implements AppServerSource {
  readonly #endpoint: Extract<Dial["endpoint"], { readonly kind: "unix" | "tcp" }>;
  readonly #events: AppServerSourceEvents;
  #generation = 0;

  constructor(
    endpoint: Extract<Dial["endpoint"], { readonly kind: "unix" | "tcp" }>,
    events: AppServerSourceEvents,
  ) {
    this.#endpoint = endpoint;
    this.#events = events;
  }

  readonly hangTimes = null;
  readonly degraded = [];

  get isUp(): boolean {
    return this.#generation > 0;
  }

  async start(): Promise<void> {
    this.#generation += 1;
    this.#events.onDial({ endpoint: this.#endpoint, appServerGeneration: this.#generation });
  }

  async restart(): Promise<void> {
    await this.start();
  }

  async rotate(): Promise<void> {
    await this.start();
  }

  release(): void {}

  async close(): Promise<void> {}

  health(): Omit<AppServerHealth, "loadedThreads"> {
    return {
      transport: this.#endpoint.kind,
      generation: this.#generation,
      pid: null,
      rssBytes: null,
      restarts: 0,
      uptimeMs: null,
    };
  }
}
