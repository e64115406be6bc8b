/** One run of the service, and its parts. */
import type { Logger } from "pino";
import { waitWithin } from "../../workers/contract/wait.js";
import { measureDescriptorRoom, readDescriptorLimit } from "../codex/process/descriptor-limit.js";
import type { CodexNativeApiConfig } from "../config/types.js";
import { InMemoryCodexNativeApiContinuationRegistry } from "../continuation/in-memory-registry.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";
import { CodexNativeApiServer } from "../http/server.js";
import type { ServerSettings } from "../http/server-options.js";
import { ServiceMetrics } from "../observability/metrics/service-metrics.js";
import { InMemoryCodexNativeApiRequestStore } from "../observability/requests/in-memory-request-store.js";
import type { CodexNativeApiRequestStore } from "../observability/requests/types.js";
import { findUselessRoots } from "../readable-files/readable-files.js";
import type { CodexNativeRuntime } from "../runtime/runtime.js";
import type { NativeAccount, Readiness } from "../runtime/types.js";
import { packageVersion } from "../version.js";
import { createRuntime } from "./create-runtime.js";

/** Options of a `CodexNativeApiService`; only `config` is required. */
export interface CodexNativeApiServiceOptions {
  /** From `createConfig`. With `enabled: false`, `start` does nothing but log that. */
  readonly config: CodexNativeApiConfig;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /**
   * Variables from which Codex gets those on an allow-list: PATH to find it, HOME, proxies, certificates, and the keys that
   * configured model providers name. Default: none. To pass the process's environment, give `process.env`.
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
   * Stores responses. One of the host's outlives restarts of the service; the host starts and closes it.
   * Default: in memory within `config.continuation`, empty at each start.
   */
  readonly registry?: CodexNativeApiContinuationRegistry;
  /**
   * Keeps the request log and the usage. One of the host's outlives restarts of the service; the host starts and closes it.
   * Default: in memory within `config.requests`, empty at each start.
   */
  readonly requestStore?: CodexNativeApiRequestStore;
}

/** Whether turns can run, with the facts of that moment. What is unknown is null. */
export type ReadinessSnapshot = Readiness & {
  readonly account: NativeAccount | null;
  /** Such as `0.169.0`. */
  readonly codexVersion: string | null;
  /** Counts the app-servers of this start: another number is another process. */
  readonly appServerGeneration: number | null;
  /** Models that turns may name. */
  readonly modelCount: number | null;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
};

/** Beyond the runtime's own grace, so that the terminal events of cancelled turns still reach their streams. */
const drainMarginMs = 1_000;

/** One run of the service, from its start to its stop. */
export class ServiceRun {
  readonly startedWith: CodexNativeApiConfig;
  readonly runtime: CodexNativeRuntime;
  readonly #server: CodexNativeApiServer;
  readonly #metrics: ServiceMetrics;
  /** Null when the host gave one, which the host starts and closes. */
  readonly #ownRegistry: InMemoryCodexNativeApiContinuationRegistry | null;
  readonly #logger: Logger;
  /** Limit of open files; null where it is unknown. */
  #descriptorLimit: number | null = null;
  #isDestroyed = false;
  #reconnecting: Promise<void> | null = null;

  /** @param config the one in force now, which reloads may have changed since the service was made. */
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
    this.runtime = createRuntime(config, {
      logger,
      observer: metrics,
      ...(environment !== undefined && { environment }),
      ...(providerProfileId !== undefined && { providerProfileId }),
      ...(accountId !== undefined && { accountId }),
    });
    this.#server = new CodexNativeApiServer({
      runtime: this.runtime,
      registry,
      requestStore: options.requestStore ?? new InMemoryCodexNativeApiRequestStore(config.requests),
      host: config.listen.host,
      port: config.listen.port,
      ...describeSettings(config, null),
      unsupportedParameters: config.http.unsupportedParameters,
      readableRoots: config.turns.readableRoots,
      jsonKeepAlive: config.http.jsonKeepAlive,
      streamHeadHoldMs: config.http.streamHeadHoldMs,
      streamDone: config.http.streamDone,
      logger,
      metrics,
      version: packageVersion,
    });
  }

  /** Listens, starts Codex in the background, and resolves with the URL. A start that rejects leaves nothing behind. */
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
      await this.#warnOfRoots(this.startedWith);
      return url;
    } catch (error) {
      await Promise.all([this.#server.destroy(), this.runtime.destroy()]);
      this.#ownRegistry?.close();
      this.#metrics.close();
      throw error;
    }
  }

  /** Replaces the connection to Codex, and resolves with the outcome, at the latest after `timeoutMs`. */
  async reconnect(timeoutMs: number): Promise<ReadinessSnapshot> {
    this.#reconnecting ??= this.#reconnect().finally(() => {
      this.#reconnecting = null;
    });
    await waitWithin(this.#reconnecting, { timeoutMs }, () => {});
    return this.#takeSnapshot();
  }

  async #reconnect(): Promise<void> {
    this.#logger.info({ event: "service.reconnecting" }, "connecting to Codex again");
    await this.runtime.reconnect().catch((error: unknown) => {
      this.#logger.error(
        { event: "service.reconnect_failed", err: error },
        "the connection could not be replaced",
      );
    });
    const { ready, appServerGeneration } = await this.#takeSnapshot();
    const outcome = ready ? "turns can run" : "turns cannot run";
    this.#logger.info(
      { event: "service.reconnected", ready, appServerGeneration },
      `connected again: ${outcome}`,
    );
  }

  async #takeSnapshot(): Promise<ReadinessSnapshot> {
    // At once where turns can run; else the list would be waited for.
    const models = this.runtime.readiness.ready ? await this.runtime.listModels().catch(() => null) : null;
    const { readiness, account, codexVersion, appServer } = this.runtime.health();
    return {
      ...readiness,
      account,
      codexVersion,
      appServerGeneration: appServer?.generation ?? null,
      modelCount: models?.length ?? null,
      checkedAt: Date.now(),
    };
  }

  /** Ends turns and processes now, also during the start. `end` must follow. */
  async destroyRuntime(): Promise<void> {
    this.#isDestroyed = true;
    await this.runtime.destroy();
  }

  /** @throws TypeError, and changes nothing, if callers of other machines could then do without a strong token. */
  reconfigure(config: CodexNativeApiConfig): void {
    this.#server.reconfigure(describeSettings(config, this.#descriptorLimit));
    this.#warnOfDescriptors(config);
    this.runtime.reconfigure(config);
  }

  /** Ends every part, and rejects if one of them failed to end. */
  async end(how: "close" | "destroy", graceMs: number): Promise<void> {
    // Both drain together: the server takes no new request, and its open streams end as the runtime ends their turns.
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

  async #warnOfRoots({ turns: { readableRoots } }: CodexNativeApiConfig): Promise<void> {
    const problems = await findUselessRoots(readableRoots);
    if (problems.length === 0) return;
    const text = `no file is read below some of turns.readableRoots: ${problems.join(" ")}`;
    this.#logger.warn({ event: "service.useless_roots", problems }, text);
  }

  #logListening(url: string): void {
    const page = `${url.replace(/^http:\/\/(0\.0\.0\.0|\[::\])(?=:)/, "http://localhost")}/`;
    const text = `listening on ${url}; page for browsers: ${page} (codex-native-api open)`;
    this.#logger.info({ event: "service.listening", url }, text);
    const { token, tokens } = this.startedWith.auth;
    if (token !== null || tokens.length > 0) return;
    this.#logger.info(
      { event: "service.no_token" },
      "no token is set: every program on this machine may call",
    );
  }
}

/**
 * The listener's part of a configuration, for its start and for each reload. Takes no more connections than the limit of open files
 * allows, so that the service can still open the files that it needs itself.
 */
function describeSettings(
  { auth, http, requests }: CodexNativeApiConfig,
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
    metadataLevel: http.metadataLevel,
    requestContent: requests.content,
    limits: { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, minBodyBytesPerSecond, maxConnections },
  };
}
