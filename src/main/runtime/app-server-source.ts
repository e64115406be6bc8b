import type { Logger } from "pino";
import { AppServerSupervisor, type DownAppServer } from "./app-server/app-server-supervisor.js";
import type { CodexInstallation } from "./codex-installation.js";
import type { Dial } from "./pool/worker-slots.js";
import type { AppServerHealth } from "./types.js";

/** Which app-server the workers talk to, and whose it is. */
export type AppServerTransport =
  /** One process of ours for all workers, on a private unix socket. */
  | { readonly kind: "shared" }
  /** Each worker spawns a process of its own. */
  | { readonly kind: "stdio" }
  /** A running app-server of someone else's, never stopped by us. */
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly url: string };

export interface AppServerSourceEvents {
  /** Where workers shall connect from now on. */
  readonly onDial: (dial: Dial) => void;
  /** There is no app-server now. `blocked` says that it will not come back within moments. */
  readonly onDown: (down: { readonly reason: string; readonly blocked: boolean }) => void;
}

/** Brings the app-server that a transport calls for, and keeps it there. */
export interface AppServerSource {
  /** Resolves when the first app-server can be dialled; rejects with why not, and goes on trying where that makes sense. */
  start(): Promise<void>;
  /** Replaces the app-server by a new generation, which ends the old one with all that runs on it. */
  restart(reason: string): Promise<void>;
  /** Starts a new generation beside the old one, which finishes what it began until it is released. */
  rotate(reason: string): Promise<void>;
  /** Nothing runs on an old generation any more. */
  release(appServerGeneration: number): void;
  close(): Promise<void>;
  /** The same without waiting for anybody. */
  destroy(): Promise<void>;
  /** Whether there is a process that workers could be answered by, as far as is known. */
  readonly isUp: boolean;
  health(): Omit<AppServerHealth, "loadedThreads">;
}

const restartsPerMinute = 10;
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
      return new StdioAppServers(installation, events);
    case "unix":
      return new AttachedAppServer({ kind: "unix", socketPath: transport.socketPath }, events);
    case "tcp":
      return new AttachedAppServer({ kind: "tcp", url: transport.url }, events);
  }
}

class SharedAppServer implements AppServerSource {
  readonly #installation: CodexInstallation;
  readonly #events: AppServerSourceEvents;
  readonly #logger: Logger;
  #supervisor: AppServerSupervisor | null = null;
  #wasReady = false;
  /** Why there is no app-server, as it was told last; null while there is one. */
  #lastFault: string | null = null;

  constructor(installation: CodexInstallation, events: AppServerSourceEvents, logger: Logger) {
    this.#installation = installation;
    this.#events = events;
    this.#logger = logger;
  }

  get isUp(): boolean {
    return this.#supervisor?.health().pid != null;
  }

  async start(): Promise<void> {
    const { instance, ledger } = await this.#installation.open();
    this.#supervisor = new AppServerSupervisor({
      prepare: (_generation, previousFailure) => this.#installation.prepare(previousFailure),
      socketPath: (generation) => instance.socketPath(generation),
      ledger,
      restart: {
        maxRestarts: restartsPerMinute,
        windowMs: 60_000,
        baseDelayMs: 50,
        maxDelayMs: 5_000,
        now: () => performance.now(),
        random: Math.random,
      },
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
    await this.#supervisor.start();
  }

  async restart(reason: string): Promise<void> {
    await this.#supervisor?.restart(reason);
  }

  async rotate(reason: string): Promise<void> {
    await this.#supervisor?.rotate(reason, retireTimeoutMs);
  }

  release(appServerGeneration: number): void {
    this.#supervisor?.release(appServerGeneration).catch((error: unknown) => {
      this.#logger.error({ event: "app_server.release_failed", err: error }, "an old app-server did not end");
    });
  }

  async close(): Promise<void> {
    await this.#supervisor?.close();
  }

  async destroy(): Promise<void> {
    await this.#supervisor?.destroy();
  }

  health(): Omit<AppServerHealth, "loadedThreads"> {
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
    const { generation, reason, retryInMs, exhausted, stderrTail } = down;
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
}

/** Workers hold the processes; this side only says what to spawn. */
class StdioAppServers implements AppServerSource {
  readonly #installation: CodexInstallation;
  readonly #events: AppServerSourceEvents;
  #generation = 0;
  #restarts = 0;

  constructor(installation: CodexInstallation, events: AppServerSourceEvents) {
    this.#installation = installation;
    this.#events = events;
  }

  get isUp(): boolean {
    return this.#generation > 0;
  }

  async start(): Promise<void> {
    const spawn = await this.#installation.prepare(null);
    this.#generation += 1;
    this.#events.onDial({ endpoint: { kind: "stdio", spawn }, appServerGeneration: this.#generation });
  }

  async restart(): Promise<void> {
    this.#restarts += 1;
    await this.start();
  }

  /** A worker keeps the child of before for as long as a turn runs on it. */
  async rotate(): Promise<void> {
    await this.restart();
  }

  release(): void {}

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}

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

  async destroy(): Promise<void> {}

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
