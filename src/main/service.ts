import type { Logger } from "pino";
import { type ConfigChanges, compareConfigs } from "./config/inspect-config.js";
import type { CodexNativeApiConfig } from "./config/types.js";
import { createSilentLogger } from "./observability/logger.js";
import type { NativeRuntimeHealth, Readiness } from "./runtime/types.js";
import { ReadinessEvents } from "./service/readiness-events.js";
import { type CodexNativeApiServiceEvents, EventListeners } from "./service/service-events.js";
import { type CodexNativeApiServiceOptions, ServiceRun } from "./service/service-run.js";

export type { CodexNativeApiServiceOptions } from "./service/service-run.js";

/** What `start` resolves with. */
export type ServiceStart =
  | {
      readonly started: true;
      /** Where the service listens, such as `http://127.0.0.1:43182`. */
      readonly url: string;
    }
  /** The configuration says `enabled: false`; nothing was done. */
  | { readonly started: false; readonly url: null };

/** Where a `CodexNativeApiService` stands; whether Codex is ready is another question. */
export type ServiceState = "stopped" | "starting" | "running" | "stopping";

interface Running {
  readonly run: ServiceRun;
  readonly url: string;
  readonly readiness: ReadinessEvents;
}

/** What was asked for last. A further call of the same kind joins it; one of the other kind follows it. */
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
  /** For the next start; what of it can be, is in force already. */
  #config: CodexNativeApiConfig;
  readonly #logger: Logger;
  readonly #events: EventListeners<CodexNativeApiServiceEvents>;
  #state: ServiceState = "stopped";
  #running: Running | null = null;
  #starting: ServiceRun | null = null;
  #last: LastCall = { kind: "stop", done: Promise.resolve() };

  constructor(options: CodexNativeApiServiceOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#logger = options.logger ?? createSilentLogger();
    this.#events = new EventListeners((name, error) => {
      this.#logger.error(
        { event: "service.listener_failed", listener: name, err: error },
        "a listener failed",
      );
    });
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Where the service listens; null while it does not. */
  get baseUrl(): string | null {
    return this.#running?.url ?? null;
  }

  /**
   * What `/v1/health` is built from, without waiting for Codex; null while the service is not running. What is old there is read in
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
   * Listens at once and brings Codex up behind it: until that is ready, turns are answered with 503. Rejects when the address
   * cannot be bound (the system's error, such as `EADDRINUSE`) or the state directory cannot be used
   * (`native_runtime_unavailable`); nothing is left of a failed start, and another may follow.
   */
  start(): Promise<ServiceStart> {
    if (this.#last.kind === "start") return this.#last.done;
    const stopped = this.#last.done.catch(() => {});
    const done = stopped.then(() => this.#start());
    const call: LastCall = { kind: "start", done };
    this.#last = call;
    done.catch(() => {
      if (this.#last === call) this.#last = { kind: "stop", done: Promise.resolve() };
    });
    return done;
  }

  /**
   * Resolves once it is known where the service stands: ready, or not and why (no binary, no login), at the latest `timeoutMs`
   * after the start that is under way, if any, which does not wait for Codex. A service that is not running is not ready.
   */
  async untilSettled(timeoutMs: number = defaultSettleTimeoutMs): Promise<Readiness> {
    if (this.#last.kind === "start") await this.#last.done.catch(() => {});
    return (await this.#running?.run.runtime.untilSettled(timeoutMs)) ?? notRunning;
  }

  /**
   * Refuses new turns, lets those in flight end within `config.shutdownGraceMs`, then leaves nothing behind. A start under
   * way is seen through first; it does not wait for Codex.
   */
  stop(): Promise<void> {
    return this.#end("close");
  }

  /** As `stop`, at once: what is in flight ends with an error. Also cuts a start or a `stop` under way short. */
  destroy(): Promise<void> {
    // Turns that end give their streams a terminal event, and then the listener is idle. What fails in it, fails in `#stop`.
    this.#starting?.destroyRuntime().catch(() => {});
    this.#running?.run.destroyRuntime().catch(() => {});
    return this.#end("destroy");
  }

  /** `stop`, then `start`. Stored responses are forgotten unless the registry is the host's. */
  async restart(): Promise<ServiceStart> {
    const [, started] = await Promise.all([this.stop(), this.start()]);
    return started;
  }

  /**
   * Takes another configuration, from `createConfig`, without a restart: tokens and their limits, allowed hosts and origins,
   * and the bounds on bodies, connections, times, the queue and turns. Turns under way go on, except those of a token that is no
   * more. All else is taken by the next start; the answer names it. The log level is the logger's owner's to set.
   *
   * Rejects with a TypeError, and changes nothing, if callers of other machines could then do without a strong token.
   */
  async reload(config: CodexNativeApiConfig): Promise<ConfigChanges> {
    // Half a start has nothing yet that could take it.
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
      this.#logger.info({ event: "service.disabled" }, "not started: the configuration says enabled: false");
      return { started: false, url: null };
    }
    this.#state = "starting";
    try {
      const run = new ServiceRun(this.#options, this.#config, this.#logger);
      this.#starting = run;
      const url = await run.start();
      this.#running = { run, url, readiness: new ReadinessEvents(run.runtime, this.#events) };
    } catch (error) {
      this.#state = "stopped";
      throw error;
    } finally {
      this.#starting = null;
    }
    this.#state = "running";
    const { url, readiness } = this.#running;
    this.#events.emit("listening", { url });
    readiness.start();
    return { started: true, url };
  }

  async #stop(how: "close" | "destroy"): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#state = "stopping";
    running.readiness.close();
    const graceMs = how === "close" ? this.#config.shutdownGraceMs : 0;
    this.#logger.info({ event: "service.stopping", graceMs }, "stopping");
    this.#events.emit("stopping", { graceMs });
    try {
      await running.run.end(how, graceMs);
    } finally {
      this.#running = null;
      this.#state = "stopped";
    }
    this.#logger.info({ event: "service.stopped" }, "stopped");
    this.#events.emit("stopped", {});
  }
}

function describeReload({ applied, needRestart }: ConfigChanges): string {
  const taken =
    applied.length === 0 ? "the configuration was read anew" : `now in force: ${applied.join(", ")}`;
  return needRestart.length === 0 ? taken : `${taken}; needs a restart: ${needRestart.join(", ")}`;
}

/** A cold start of Codex on a slow machine takes less. */
const defaultSettleTimeoutMs = 30_000;

const notRunning: Readiness = {
  ready: false,
  error: { code: "native_runtime_unavailable", message: "The service is not running." },
};
