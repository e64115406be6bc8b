import type { FastifyInstance } from "fastify";
import { LoopShare } from "../../workers/contract/pace.js";
import { createDeferred, waitWithin } from "../../workers/contract/wait.js";
import { defaults } from "../config/defaults.js";
import { isLoopbackHost } from "../config/network-names.js";
import { dialects } from "../dialects/table.js";
import { Exchanges } from "../exchange/exchanges.js";
import { InMemoryCodexNativeApiRequestStore } from "../observability/requests/in-memory-request-store.js";
import { RequestLog } from "../observability/requests/request-log.js";
import type { MetadataLevel } from "../observability/task-metadata.js";
import { readBuiltPage } from "../page-files.js";
import { AccessPolicy } from "./access-policy.js";
import { BodyLimits } from "./body/incoming-body.js";
import { buildApp } from "./build-app.js";
import { EventFeed } from "./event-feed.js";
import { CallerTurns, InFlight } from "./in-flight.js";
import { applyLimits, type ListeningAddress, listen } from "./listener.js";
import { PageCodes } from "./page-codes.js";
import { createId } from "./request-id.js";
import { describeRequest } from "./requests/describe-request.js";
import {
  bodyBoundsOf,
  type CodexNativeApiServerOptions,
  checkServerOptions,
  defaultKeepAliveCommentMs,
  defaultListenerLimits,
  type ServerSettings,
} from "./server-options.js";
import { describeState } from "./state-report.js";
import { WebSockets } from "./web-socket/web-sockets.js";

/** How a server is closed. */
export interface CloseOptions {
  /** Time for answers under way to end by themselves, in milliseconds. */
  readonly graceMs: number;
}

type State =
  /** Never started. */
  | "new"
  | "starting"
  | "listening"
  /** No new work; answers under way finish. */
  | "closing"
  | "closed";

/** Time for terminal events to reach clients before their connections are closed, in milliseconds. */
const lastEventsMs = 1000;

/** The HTTP listener: OpenAI-compatible routes over any `NativeTurnRuntime`, which its owner starts and closes. */
export class CodexNativeApiServer {
  readonly #options: CodexNativeApiServerOptions;
  readonly #app: FastifyInstance;
  readonly #bodyLimits: BodyLimits;
  #access: AccessPolicy;
  #metadataLevel: MetadataLevel;
  #requestContent: boolean;
  readonly #exchanges: Exchanges;
  readonly #inFlight = new InFlight();
  readonly #webSockets: WebSockets;
  readonly #eventFeed: EventFeed;
  readonly #pageCodes = new PageCodes(() => performance.now());
  readonly #destroyed = new AbortController();
  #state: State = "new";
  #starting: Promise<ListeningAddress> | null = null;
  #stopped: Promise<void> | null = null;

  /**
   * @throws TypeError that names every option of the wrong shape, or if other machines can reach `host` and there is no token, or a
   * short `authToken`.
   */
  constructor(options: CodexNativeApiServerOptions) {
    checkServerOptions(options);
    this.#access = new AccessPolicy(options.host, options);
    this.#metadataLevel = options.metadataLevel ?? "silent";
    this.#requestContent = options.requestContent ?? false;
    this.#options = options;
    this.#bodyLimits = new BodyLimits(bodyBoundsOf(options));
    const isClosing = () => this.#state === "closing" || this.#state === "closed";
    this.#webSockets = new WebSockets({
      access: () => this.#access,
      bodyLimits: this.#bodyLimits,
      isClosing,
    });
    const loopShare = new LoopShare();
    this.#exchanges = new Exchanges({
      loopShare,
      runtime: options.runtime,
      registry: options.registry,
      readableRoots: options.readableRoots ?? [],
      wallClock: Date.now,
      clock: () => performance.now(),
      newId: createId,
      streamDone: options.streamDone ?? true,
    });
    const requestLog = new RequestLog(
      options.requestStore ?? new InMemoryCodexNativeApiRequestStore(),
      options.logger,
    );
    this.#eventFeed = new EventFeed({
      describeState: () => describeState(options.runtime.health()),
      subscribe: (listener) =>
        requestLog.subscribe((change, entry) =>
          listener(`request.${change}`, entry.caller, () => describeRequest(entry)),
        ),
      admit: ({ headers, localAddress }) => this.#access.admit(headers, localAddress),
      wallClock: Date.now,
      clock: () => performance.now(),
    });
    this.#app = buildApp({
      options,
      dialects,
      context: {
        ...options,
        keepAliveCommentMs: options.keepAliveCommentMs ?? defaultKeepAliveCommentMs,
        streamHeadHoldMs: options.streamHeadHoldMs ?? defaults.http.streamHeadHoldMs,
        limits: options.limits ?? {},
        logger: options.logger,
        metadataLevel: () => this.#metadataLevel,
        exchanges: this.#exchanges,
        requestLog,
        requestContent: () => this.#requestContent,
        callerTurns: new CallerTurns(),
        loopShare,
        localhostOnly: isLoopbackHost(options.host),
        openWebSockets: () => this.#webSockets.size,
        eventFeed: this.#eventFeed,
        pageCodes: this.#pageCodes,
        readPage: readBuiltPage,
        clock: () => performance.now(),
        wallClock: Date.now,
      },
      access: () => this.#access,
      bodyLimits: this.#bodyLimits,
      inFlight: this.#inFlight,
      webSockets: this.#webSockets,
      isClosing,
    });
  }

  /**
   * Rejects with the system's error if the address cannot be bound; then it may be called again. A `close` meanwhile waits for it, and
   * then closes the listener.
   */
  async start(): Promise<ListeningAddress> {
    if (this.#state !== "new") throw new Error(`The server cannot start: it is ${this.#state}.`);
    this.#state = "starting";
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<ListeningAddress> {
    try {
      await this.#app.ready();
      const address = await listen(this.#app.server, this.#options.host, this.#options.port);
      if (this.#stopped === null) this.#state = "listening";
      return address;
    } catch (error) {
      if (this.#stopped === null) this.#state = "new";
      throw error;
    }
  }

  /**
   * Replaces the settings. Fields that are left out of `limits` get their defaults. Turns of a token that was removed or switched off
   * end at once.
   *
   * @throws TypeError as the constructor does, and then nothing has changed.
   */
  reconfigure(settings: ServerSettings): void {
    const access = new AccessPolicy(this.#options.host, settings);
    const withdrawn = this.#access.namesWithdrawnBy(access);
    this.#access = access;
    this.#metadataLevel = settings.metadataLevel ?? "silent";
    this.#requestContent = settings.requestContent ?? false;
    this.#bodyLimits.bounds = bodyBoundsOf(settings);
    applyLimits(this.#app.server, { ...defaultListenerLimits, ...settings.limits });
    for (const name of withdrawn) {
      this.#inFlight.interruptTurnsOf(name);
      this.#exchanges.cancelAllOf(name);
      this.#pageCodes.forget(name);
    }
    this.#webSockets.recheck();
    this.#eventFeed.recheck();
  }

  /**
   * Refuses new work, lets answers under way end within the grace, ends the rest with a terminal event, then closes all connections.
   * Further calls wait for the first.
   */
  async close({ graceMs }: CloseOptions): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    await this.#stopped;
  }

  /** Closes all connections at once, also during a `close`; unsent bytes are lost. */
  async destroy(): Promise<void> {
    this.#inFlight.interruptTurns();
    this.#destroyed.abort();
    this.#stopped ??= this.#stop(0);
    this.#app.server.closeAllConnections();
    this.#webSockets.destroy();
    await this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = "closing";
    this.#pageCodes.close();
    this.#eventFeed.close();
    // A listener that is still starting cannot be closed. Only the caller of `start` gets its error.
    await this.#starting?.catch(() => {});
    const { server } = this.#app;
    const released = createDeferred<void>();
    server.close(() => released.resolve());
    server.closeIdleConnections();
    this.#webSockets.finish();
    await this.#waitUntilIdle(graceMs);
    this.#inFlight.interruptTurns();
    await Promise.all([this.#waitUntilIdle(lastEventsMs), this.#exchanges.close()]);
    await this.#webSockets.close(lastEventsMs, this.#destroyed.signal);
    server.closeAllConnections();
    await released.promise;
    await this.#app.close();
    this.#state = "closed";
  }

  /** At most until the limit, or until `destroy`. */
  async #waitUntilIdle(limitMs: number): Promise<void> {
    const limits = { timeoutMs: limitMs, signal: this.#destroyed.signal };
    await waitWithin(this.#inFlight.whenIdle(), limits, () => {});
  }
}
