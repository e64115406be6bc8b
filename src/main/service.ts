import type { Logger } from "pino";
import type { CodexNativeApiConfig } from "./config/types.js";
import { InMemoryCodexNativeApiContinuationRegistry } from "./continuation/in-memory-registry.js";
import type { CodexNativeApiContinuationRegistry } from "./continuation/types.js";
import type { MetricsSink } from "./http/metrics-sink.js";
import { CodexNativeApiServer } from "./http/server.js";
import { ServiceMetrics } from "./observability/metrics/service-metrics.js";
import { CodexNativeRuntime } from "./runtime/runtime.js";
import type { NativeRuntimeHealth, NativeRuntimeObserver } from "./runtime/types.js";
import { packageVersion } from "./version.js";

export interface CodexNativeApiServiceOptions {
  readonly config: CodexNativeApiConfig;
  readonly logger: Logger;
  /** The environment that Codex's own variables are taken from, by an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
}

interface Running {
  readonly server: CodexNativeApiServer;
  readonly runtime: CodexNativeRuntime;
  readonly registry: InMemoryCodexNativeApiContinuationRegistry;
  readonly metrics: ServiceMetrics;
  readonly url: string;
}

/**
 * Listener and runtime as one: what `serve` runs and what a host program embeds. `start` and `stop` may alternate any number
 * of times; each start is a new runtime.
 */
export class CodexNativeApiService {
  readonly #options: CodexNativeApiServiceOptions;
  #running: Running | null = null;
  #starting: Promise<{ readonly url: string }> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: CodexNativeApiServiceOptions) {
    this.#options = options;
  }

  /** Where the service listens; null while it does not. */
  get baseUrl(): string | null {
    return this.#running?.url ?? null;
  }

  /** What `/v1/health` is built from; null while the service is not started. */
  health(): NativeRuntimeHealth | null {
    return this.#running?.runtime.health() ?? null;
  }

  /**
   * Listens at once and brings Codex up behind it: until that is ready, turns are answered with 503. Rejects when the address
   * cannot be bound or the state directory cannot be used. A second call joins the first.
   */
  start(): Promise<{ readonly url: string }> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  /** Refuses new turns, lets those in flight end within the grace, then leaves nothing behind. A second call joins the first. */
  stop(): Promise<void> {
    return this.#end("close");
  }

  /** Stops now: what is in flight ends with an error. */
  destroy(): Promise<void> {
    return this.#end("destroy");
  }

  async #start(): Promise<{ readonly url: string }> {
    await this.#stopping;
    const { config, logger } = this.#options;
    const registry = new InMemoryCodexNativeApiContinuationRegistry(config.continuation);
    const metrics: ServiceMetrics = new ServiceMetrics({
      version: packageVersion,
      health: () => runtime.health(),
      continuation: () => registry.stats(),
      readCatalog: () => runtime.listModels(),
    });
    const runtime = this.#createRuntime(metrics);
    const server = this.#createServer(runtime, registry, metrics);
    const { url } = await server.start();
    registry.start();
    metrics.start();
    this.#running = { server, runtime, registry, metrics, url };
    logger.info({ event: "service.listening", url }, `listening on ${url}`);
    if (config.auth.token === null) {
      logger.info({ event: "service.no_token" }, "no token is set: every program of this machine may call");
    }
    try {
      await runtime.open();
    } catch (error) {
      this.#running = null;
      await Promise.all([server.close({ graceMs: 0 }), runtime.destroy()]);
      registry.close();
      metrics.close();
      throw error;
    }
    return { url };
  }

  #end(how: "close" | "destroy"): Promise<void> {
    this.#stopping ??= this.#stop(how).finally(() => {
      this.#stopping = null;
      this.#starting = null;
    });
    // A stop under way is hurried: turns that end give their streams a terminal event, and then the listener is idle.
    if (how === "destroy") void this.#running?.runtime.destroy();
    return this.#stopping;
  }

  async #stop(how: "close" | "destroy"): Promise<void> {
    // A start under way is seen through first: half a start cannot be stopped cleanly, and it does not wait for Codex.
    await this.#starting?.catch(() => {});
    const running = this.#running;
    if (running === null) return;
    const { config, logger } = this.#options;
    const graceMs = how === "close" ? config.shutdownGraceMs : 0;
    logger.info({ event: "service.stopping", graceMs }, "stopping");
    // Both drain at once: the server takes nothing new, and its open streams end as the runtime ends their turns.
    await Promise.all([
      running.server.close({ graceMs: graceMs + drainMarginMs }),
      how === "close" ? running.runtime.close() : running.runtime.destroy(),
    ]);
    running.registry.close();
    running.metrics.close();
    this.#running = null;
    logger.info({ event: "service.stopped" }, "stopped");
  }

  #createRuntime(observer: NativeRuntimeObserver): CodexNativeRuntime {
    const { config, logger, environment, providerProfileId } = this.#options;
    return new CodexNativeRuntime(
      {
        codex: { ...config.codex, environment },
        appServer: config.appServer,
        turns: config.turns,
        workers: config.workers,
        admission: config.admission,
        shutdownGraceMs: config.shutdownGraceMs,
        version: packageVersion,
        observer,
        ...(providerProfileId === undefined ? {} : { providerProfileId }),
      },
      logger,
    );
  }

  #createServer(
    runtime: CodexNativeRuntime,
    registry: CodexNativeApiContinuationRegistry,
    metrics: MetricsSink,
  ): CodexNativeApiServer {
    const { config, logger } = this.#options;
    return new CodexNativeApiServer({
      runtime,
      registry,
      host: config.listen.host,
      port: config.listen.port,
      authToken: config.auth.token,
      allowedHosts: config.http.allowedHosts,
      allowedOrigins: config.http.allowedOrigins,
      maxBodyBytes: config.http.maxBodyBytes,
      unsupportedParameters: config.http.unsupportedParameters,
      logger,
      metrics,
      version: packageVersion,
    });
  }
}

/** Beyond the runtime's own grace, so that the terminal events of cancelled turns still reach their streams. */
const drainMarginMs = 2_000;
