/** One run of the service, and what it is made of. */
import type { Logger } from "pino";
import type { CodexNativeApiConfig } from "../config/types.js";
import { InMemoryCodexNativeApiContinuationRegistry } from "../continuation/in-memory-registry.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";
import { CodexNativeApiServer } from "../http/server.js";
import type { ServerSettings } from "../http/server-options.js";
import { ServiceMetrics } from "../observability/metrics/service-metrics.js";
import { measureDescriptorRoom, readDescriptorLimit } from "../runtime/descriptor-limit.js";
import { CodexNativeRuntime } from "../runtime/runtime.js";
import { packageVersion } from "../version.js";

/** What a `CodexNativeApiService` is made of; only `config` is needed. */
export interface CodexNativeApiServiceOptions {
  /** From `createConfig`. With `enabled: false`, `start` does nothing and says so. */
  readonly config: CodexNativeApiConfig;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /**
   * Variables that Codex's own are taken from, by an allow-list: PATH to find it, HOME, proxies, certificates, and the keys
   * that configured model providers name. Default: none. The process's environment is not read: pass `process.env` to have it.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The host's name of the provider profile that turns run under. Default `openai-default`. */
  readonly providerProfileId?: string;
  /**
   * The only Codex account (its ChatGPT account id) that turns may run under: while another is logged in, they are refused with
   * `native_login_required`. Default: whichever is logged in.
   */
  readonly accountId?: string;
  /**
   * Where responses are stored. The host's own outlives restarts of the service, and stays the host's to start and close.
   * Default: in memory within `config.continuation`, anew at each start.
   */
  readonly registry?: CodexNativeApiContinuationRegistry;
}

/** Beyond the runtime's own grace, so that the terminal events of cancelled turns still reach their streams. */
const drainMarginMs = 1_000;

/** One run of the service, from its start to its stop. */
export class ServiceRun {
  readonly startedWith: CodexNativeApiConfig;
  readonly runtime: CodexNativeRuntime;
  readonly #server: CodexNativeApiServer;
  readonly #metrics: ServiceMetrics;
  /** Null when the host gave one, which is the host's to start and close. */
  readonly #ownRegistry: InMemoryCodexNativeApiContinuationRegistry | null;
  readonly #logger: Logger;
  /** Files that may be open at once; null where that is not known. */
  #descriptorLimit: number | null = null;
  #isDestroyed = false;

  /** @param config what is in force now, and not what the service was made with. */
  constructor(options: CodexNativeApiServiceOptions, config: CodexNativeApiConfig, logger: Logger) {
    this.startedWith = config;
    this.#logger = logger;
    const ownRegistry = new InMemoryCodexNativeApiContinuationRegistry(config.continuation);
    const registry = options.registry ?? ownRegistry;
    this.#ownRegistry = registry === ownRegistry ? ownRegistry : null;
    const metrics: ServiceMetrics = new ServiceMetrics({
      version: packageVersion,
      health: () => this.runtime.health(),
      continuation: () => registry.stats(),
      readCatalog: () => this.runtime.listModels(),
      wallClock: Date.now,
    });
    this.#metrics = metrics;
    const { environment, providerProfileId, accountId } = options;
    this.runtime = new CodexNativeRuntime(
      {
        codex: { ...config.codex, environment: environment ?? {} },
        appServer: config.appServer,
        turns: config.turns,
        workers: config.workers,
        admission: config.admission,
        shutdownGraceMs: config.shutdownGraceMs,
        version: packageVersion,
        observer: metrics,
        ...(providerProfileId === undefined ? {} : { providerProfileId }),
        ...(accountId === undefined ? {} : { accountId }),
      },
      logger,
    );
    this.#server = new CodexNativeApiServer({
      runtime: this.runtime,
      registry,
      host: config.listen.host,
      port: config.listen.port,
      ...describeSettings(config, null),
      unsupportedParameters: config.http.unsupportedParameters,
      jsonKeepAlive: config.http.jsonKeepAlive,
      streamHeadHoldMs: config.http.streamHeadHoldMs,
      logger,
      metrics,
      version: packageVersion,
    });
  }

  /** Listens and brings Codex up behind it; says where it listens. Rejects with nothing left behind. */
  async start(): Promise<string> {
    try {
      this.#descriptorLimit = await readDescriptorLimit();
      this.#server.reconfigure(describeSettings(this.startedWith, this.#descriptorLimit));
      const { url } = await this.#server.start();
      this.#logListening(url);
      this.#warnOfDescriptors(this.startedWith);
      if (!this.#isDestroyed) await this.runtime.open();
      this.#ownRegistry?.start();
      this.#metrics.start();
      return url;
    } catch (error) {
      await Promise.all([this.#server.destroy(), this.runtime.destroy()]);
      this.#ownRegistry?.close();
      this.#metrics.close();
      throw error;
    }
  }

  /** Ends its turns and processes now, also while it starts; `end` still has to follow. */
  async destroyRuntime(): Promise<void> {
    this.#isDestroyed = true;
    await this.runtime.destroy();
  }

  /** @throws TypeError, and then nothing has changed, if callers of other machines could then do without a strong token. */
  reconfigure(config: CodexNativeApiConfig): void {
    this.#server.reconfigure(describeSettings(config, this.#descriptorLimit));
    this.#warnOfDescriptors(config);
    this.runtime.reconfigure(config);
  }

  /** Rejects when a part did not end as it should; all of them were tried. */
  async end(how: "close" | "destroy", graceMs: number): Promise<void> {
    // Both drain at once: the server takes nothing new, and its open streams end as the runtime ends their turns.
    const ends = await Promise.allSettled([
      this.#server.close({ graceMs: graceMs + drainMarginMs }),
      how === "close" ? this.runtime.close() : this.runtime.destroy(),
    ]);
    this.#ownRegistry?.close();
    this.#metrics.close();
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #warnOfDescriptors({ http: { maxConnections } }: CodexNativeApiConfig): void {
    if (this.#descriptorLimit === null) return;
    const { limit, connections, fault } = measureDescriptorRoom(this.#descriptorLimit, maxConnections);
    if (fault === null) return;
    this.#logger.warn({ event: "service.few_descriptors", limit, connections, maxConnections }, fault);
  }

  #logListening(url: string): void {
    this.#logger.info({ event: "service.listening", url }, `listening on ${url}`);
    const { token, tokens } = this.startedWith.auth;
    if (token !== null || tokens.length > 0) return;
    this.#logger.info(
      { event: "service.no_token" },
      "no token is set: every program of this machine may call",
    );
  }
}

/**
 * What the listener is told of a configuration, at its start and again by a reload. No more connections than there is room for:
 * one more is then closed, and what the service itself needs to open still can be.
 */
function describeSettings(
  { auth, http }: CodexNativeApiConfig,
  descriptorLimit: number | null,
): ServerSettings {
  const { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, minBodyBytesPerSecond } = http;
  const maxConnections =
    descriptorLimit === null
      ? http.maxConnections
      : measureDescriptorRoom(descriptorLimit, http.maxConnections).connections;
  return {
    authToken: auth.token,
    tokens: auth.tokens,
    allowedHosts: http.allowedHosts,
    allowedOrigins: http.allowedOrigins,
    maxBodyBytes: http.maxBodyBytes,
    maxBodyValues: http.maxBodyValues,
    maxItemValues: http.maxItemValues,
    limits: { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, minBodyBytesPerSecond, maxConnections },
  };
}
