import type { Logger } from "pino";
import { type ConfigChanges, compareConfigs } from "./config/inspect-config.js";
import type { CodexNativeApiConfig } from "./config/types.js";
import { EventListeners } from "./observability/event-listeners.js";
import { createSilentLogger } from "./observability/logger.js";
import type { NativeRuntimeHealth, NativeTurnRuntime, Readiness } from "./runtime/types.js";
import { ReadinessEvents } from "./service/readiness-events.js";
import type { CodexNativeApiServiceEvents } from "./service/service-events.js";
import { checkConfig, checkServiceOptions } from "./service/service-options.js";
import {
  type CodexNativeApiServiceOptions,
  type ReadinessSnapshot,
  ServiceRun,
} from "./service/service-run.js";

export type { CodexNativeApiServiceOptions, ReadinessSnapshot } from "./service/service-run.js";

/** What `start` resolves with. */
export type ServiceStart =
  | {
      readonly started: true;
      /** Where the service listens, such as `http://127.0.0.1:43182`. */
      readonly url: string;
    }
  /** The configuration says `enabled: false`; nothing was done. */
  | { readonly started: false; readonly url: null };

/** The state of a `CodexNativeApiService`. Codex may be ready or not while it runs. */
export type ServiceState = "stopped" | "starting" | "running" | "stopping";

interface Running {
  readonly run: ServiceRun;
  readonly url: string;
  readonly readiness: ReadinessEvents;
  isStopping: boolean;
}

/** The last request. A further one of the same kind joins it; one of the other kind follows it. */
type LastCall =
  | { readonly kind: "start"; readonly done: Promise<ServiceStart> }
  | { readonly kind: "stop"; readonly done: Promise<void> };

/**
 * Listener and runtime as one: what `serve` runs and what a host program embeds. `start` and `stop` may be called at any
 * time and any number of times; they take effect in the order of the calls, and each start is a new run. Several services in
 * one process share nothing. Reads no environment and no argv, installs no signal handler, and ends with the process.
 */
export class CodexNativeApiService {
  readonly #options: CodexNativeApiServiceOptions;
  /** For the next start. Reloadable values of it are in force already. */
  #config: CodexNativeApiConfig;
  readonly #logger: Logger;
  readonly #events: EventListeners<CodexNativeApiServiceEvents>;
  #running: Running | null = null;
  #starting: ServiceRun | null = null;
  #last: LastCall = { kind: "stop", done: Promise.resolve() };

  /** @throws TypeError that names every option, and every part of `config`, of the wrong shape. */
  constructor(options: CodexNativeApiServiceOptions) {
    checkServiceOptions(options);
    this.#options = options;
    this.#config = options.config;
    this.#logger = options.logger ?? createSilentLogger();
    this.#events = new EventListeners((name, error) => {
      this.#logger.error(
        { event: "service.listener_failed", listener: name, err: error },
        "a listener of the host failed",
      );
    });
  }

  get state(): ServiceState {
    if (this.#starting !== null) return "starting";
    if (this.#running === null) return "stopped";
    return this.#running.isStopping ? "stopping" : "running";
  }

  /** Where the service listens; null while it does not. */
  get baseUrl(): string | null {
    return this.#running?.url ?? null;
  }

  /**
   * The runtime of the present run, for work in this process beside the API; null while the service does not run. Each start makes
   * another, so do not keep it: a side-task router takes the service itself. The service starts and closes it.
   */
  get runtime(): NativeTurnRuntime | null {
    return this.#running?.run.runtime ?? null;
  }

  /**
   * The facts behind `/v1/health`, without waiting for Codex; null while the service is not running. Old facts are read again in
   * the background, for the next call: the plan's windows at most every five minutes.
   */
  health(): NativeRuntimeHealth | null {
    return this.#running?.run.runtime.health({ refresh: true }) ?? null;
  }

  /**
   * Subscribes to an event and returns the function that unsubscribes. A listener that throws or rejects is logged
   * (`service.listener_failed`) and disturbs neither the service nor other listeners. It may call `stop` or `start`.
   */
  on<K extends keyof CodexNativeApiServiceEvents>(
    name: K,
    listener: (event: CodexNativeApiServiceEvents[K]) => unknown,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Listens at once and starts Codex in the background: until Codex is ready, turns get 503. Rejects when the address
   * cannot be bound (the system's error, such as `EADDRINUSE`) or the state directory cannot be used
   * (`native_runtime_unavailable`). A failed start leaves nothing behind, and another may follow.
   */
  start(): Promise<ServiceStart> {
    if (this.#last.kind === "start") return this.#last.done;
    const done = this.#last.done.catch(() => {}).then(() => this.#start());
    const call: LastCall = { kind: "start", done };
    this.#last = call;
    done.catch(() => {
      if (this.#last === call) this.#last = { kind: "stop", done: Promise.resolve() };
    });
    return done;
  }

  /**
   * Resolves once the service is ready, or has a reason not to be (no binary, no login), and at the latest `timeoutMs` after any
   * start under way, which does not wait for Codex. A service that is not running is not ready.
   */
  async untilSettled(timeoutMs: number = defaultSettleTimeoutMs): Promise<Readiness> {
    if (this.#last.kind === "start") await this.#last.done.catch(() => {});
    return (await this.#running?.run.runtime.untilSettled(timeoutMs)) ?? notRunning;
  }

  /**
   * Refuses new turns, lets those in flight end within `config.shutdownGraceMs`, then ends everything. Waits first for a start under
   * way, which does not wait for Codex.
   */
  stop(): Promise<void> {
    return this.#end("close");
  }

  /** Stops at once: turns in flight end with an error. Also cuts short a start or a `stop` under way. */
  destroy(): Promise<void> {
    // Turns that end give their streams a terminal event, and then the listener is idle. A failure here shows again in `#stop`.
    this.#starting?.destroyRuntime().catch(() => {});
    this.#running?.run.destroyRuntime().catch(() => {});
    return this.#end("destroy");
  }

  /** `stop`, then `start`. Stored responses are lost unless the registry is the host's. */
  async restart(): Promise<ServiceStart> {
    const [, started] = await Promise.all([this.stop(), this.start()]);
    return started;
  }

  /**
   * Replaces the connection to Codex, such as after a login by another program: by default by a new app-server, an attached one is
   * connected again. Resolves with where the service then stands, at the latest `timeoutMs` after any start under way, and never
   * rejects. The listener, stored responses and settings stay. Turns on the old app-server that have shown nothing run again; the
   * others end with an error. Calls during a reconnection join it. A service that is not running is not ready.
   */
  async reconnect(timeoutMs: number = defaultReconnectTimeoutMs): Promise<ReadinessSnapshot> {
    if (this.#last.kind === "start") await this.#last.done.catch(() => {});
    const run = this.#running?.run;
    if (run === undefined) return { ...notRunning, ...unknownFacts, checkedAt: Date.now() };
    return run.reconnect(timeoutMs);
  }

  /**
   * Takes another configuration, from `createConfig`, without a restart: tokens and their limits, allowed hosts and origins,
   * and the bounds on bodies, connections, times, the queue and turns. Turns under way continue, except those of a removed token.
   * Other values wait for the next start; the result names them. The owner of the logger sets its level.
   *
   * Rejects with a TypeError, and changes nothing, if callers of other machines could then do without a strong token, or if parts of
   * the configuration have the wrong shape.
   */
  async reload(config: CodexNativeApiConfig): Promise<ConfigChanges> {
    checkConfig(config);
    // A start under way has no parts yet to reconfigure.
    if (this.#last.kind === "start") await this.#last.done.catch(() => {});
    const running = this.#running;
    const current = this.#config;
    running?.run.reconfigure(config);
    this.#config = config;
    const changes = compareConfigs(running?.run.startedWith ?? current, current, config);
    const { applied, needRestart } = changes;
    this.#logger.info({ event: "service.reloaded", applied, needRestart }, describeReload(changes));
    return changes;
  }

  #end(how: "close" | "destroy"): Promise<void> {
    if (this.#last.kind === "stop") return this.#last.done;
    const done = this.#last.done.then(
      () => this.#stop(how),
      () => {},
    );
    this.#last = { kind: "stop", done };
    return done;
  }

  async #start(): Promise<ServiceStart> {
    if (!this.#config.enabled) {
      this.#logger.info({ event: "service.disabled" }, "not started: the configuration has enabled: false");
      return { started: false, url: null };
    }
    try {
      const run = new ServiceRun(this.#options, this.#config, this.#logger);
      this.#starting = run;
      const url = await run.start();
      const readiness = new ReadinessEvents(run.runtime, this.#events);
      this.#running = { run, url, readiness, isStopping: false };
    } finally {
      this.#starting = null;
    }
    const { url, readiness } = this.#running;
    this.#events.emit("listening", { url });
    readiness.start();
    return { started: true, url };
  }

  async #stop(how: "close" | "destroy"): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    running.isStopping = true;
    running.readiness.close();
    const graceMs = how === "close" ? this.#config.shutdownGraceMs : 0;
    this.#logger.info({ event: "service.stopping", graceMs }, "stopping");
    this.#events.emit("stopping", { graceMs });
    try {
      await running.run.end(how, graceMs);
    } finally {
      this.#running = null;
    }
    this.#logger.info({ event: "service.stopped" }, "stopped");
    this.#events.emit("stopped", {});
  }
}

function describeReload({ applied, needRestart }: ConfigChanges): string {
  const taken =
    applied.length === 0 ? "configuration reloaded" : `configuration reloaded: ${applied.join(", ")}`;
  return needRestart.length === 0 ? taken : `${taken}; these need a restart: ${needRestart.join(", ")}`;
}

/** Longer than a cold start of Codex takes on a slow machine. */
const defaultSettleTimeoutMs = 30_000;

/** For an app-server that takes its whole grace to end, and a cold start of the next. */
const defaultReconnectTimeoutMs = 45_000;

const unknownFacts = {
  account: null,
  codexVersion: null,
  appServerGeneration: null,
  modelCount: null,
} as const;

const notRunning: Readiness = {
  ready: false,
  error: { code: "native_runtime_unavailable", message: "The service is not running." },
};
