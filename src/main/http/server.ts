import type { FastifyInstance } from "fastify";
import { LoopShare } from "../../workers/contract/pace.js";
import { waitWithin } from "../../workers/contract/wait.js";
import { defaults } from "../config/defaults.js";
import { isLoopbackHost } from "../config/network-names.js";
import { dialects } from "../dialects/table.js";
import { Exchanges } from "../exchange/exchanges.js";
import { AccessPolicy } from "./access-policy.js";
import type { BodyPace } from "./body/body-flow.js";
import { BodyLimits } from "./body/incoming-body.js";
import type { JsonBounds } from "./body/json-scan.js";
import { buildApp } from "./build-app.js";
import { CallerTurns, InFlight } from "./in-flight.js";
import { applyLimits, type ListeningAddress, listen } from "./listener.js";
import { createId } from "./request-id.js";
import {
  type CodexNativeApiServerOptions,
  defaultKeepAliveCommentMs,
  defaultListenerLimits,
  jsonBoundsOf,
  type ServerSettings,
} from "./server-options.js";

/** How a server is closed. */
export interface CloseOptions {
  /** How long answers under way may take to end by themselves, in milliseconds. */
  readonly graceMs: number;
}

type State =
  /** Made, never started. */
  | "new"
  | "starting"
  | "listening"
  /** No new work; answers under way finish. */
  | "closing"
  | "closed";

/** For terminal events to reach clients before their connections are cut, in milliseconds. */
const farewellMs = 1000;

function paceOf({ limits }: ServerSettings): BodyPace {
  const { minBodyBytesPerSecond, slowBodyGraceMs } = { ...defaultListenerLimits, ...limits };
  return { minBytesPerSecond: minBodyBytesPerSecond, graceMs: slowBodyGraceMs };
}

/**
 * The HTTP listener: OpenAI-compatible routes over any `NativeTurnRuntime`, which stays its owner's to start and close.
 */
export class CodexNativeApiServer {
  readonly #options: CodexNativeApiServerOptions;
  readonly #app: FastifyInstance;
  readonly #access: AccessPolicy;
  readonly #bodyLimits: BodyLimits;
  #jsonBounds: JsonBounds;
  readonly #exchanges: Exchanges;
  readonly #inFlight = new InFlight();
  readonly #hurried = new AbortController();
  #state: State = "new";
  #starting: Promise<ListeningAddress> | null = null;
  #stopped: Promise<void> | null = null;

  /** @throws TypeError if `host` can be reached from other machines and there is no token, or a short `authToken`. */
  constructor(options: CodexNativeApiServerOptions) {
    this.#access = new AccessPolicy(options.host, options);
    this.#options = options;
    this.#bodyLimits = new BodyLimits(options.maxBodyBytes, paceOf(options));
    this.#jsonBounds = jsonBoundsOf(options);
    const loopShare = new LoopShare();
    this.#exchanges = new Exchanges({
      loopShare,
      runtime: options.runtime,
      registry: options.registry,
      wallClock: Date.now,
      clock: () => performance.now(),
      newId: createId,
    });
    this.#app = buildApp({
      options,
      dialects,
      context: {
        runtime: options.runtime,
        exchanges: this.#exchanges,
        registry: options.registry,
        callerTurns: new CallerTurns(),
        loopShare,
        unsupportedParameters: options.unsupportedParameters,
        keepAliveCommentMs: options.keepAliveCommentMs ?? defaultKeepAliveCommentMs,
        jsonKeepAlive: options.jsonKeepAlive ?? "on-request",
        streamHeadHoldMs: options.streamHeadHoldMs ?? defaults.http.streamHeadHoldMs,
        limits: options.limits ?? {},
        version: options.version,
        localhostOnly: isLoopbackHost(options.host),
        logger: options.logger,
        wallClock: Date.now,
        clock: () => performance.now(),
      },
      access: this.#access,
      bodyLimits: this.#bodyLimits,
      jsonBounds: () => this.#jsonBounds,
      inFlight: this.#inFlight,
      isClosing: () => this.#state === "closing" || this.#state === "closed",
    });
  }

  /**
   * Rejects with the system's error if the address cannot be bound; then it may be called again. A close meanwhile lets it
   * finish, and closes what it has opened.
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
   * Takes other settings from here on; what is left out of `limits` gets its default. Turns under way of a token that is no
   * more, or switched off, end at once.
   *
   * @throws TypeError as the constructor does, and then nothing has changed.
   */
  reconfigure(settings: ServerSettings): void {
    const withdrawn = this.#access.replace(settings);
    this.#bodyLimits.maxBytes = settings.maxBodyBytes;
    this.#bodyLimits.pace = paceOf(settings);
    this.#jsonBounds = jsonBoundsOf(settings);
    applyLimits(this.#app.server, { ...defaultListenerLimits, ...settings.limits });
    for (const name of withdrawn) {
      this.#inFlight.interruptTurnsOf(name);
      this.#exchanges.cancelAllOf(name);
    }
  }

  /**
   * Takes no new work, lets answers under way end within the grace, ends the rest with a terminal event, then cuts what is
   * left. Further calls wait for the first.
   */
  async close({ graceMs }: CloseOptions): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    await this.#stopped;
  }

  /** Ends everything at once, a `close` under way included; what was not written by now is not written any more. */
  async destroy(): Promise<void> {
    this.#inFlight.interruptTurns();
    this.#hurried.abort();
    this.#stopped ??= this.#stop(0);
    this.#app.server.closeAllConnections();
    await this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = "closing";
    // A listener that is half up cannot be closed. Why it failed was said to whoever started it.
    await this.#starting?.catch(() => {});
    const { server } = this.#app;
    const released = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await this.#waitUntilIdle(graceMs);
    this.#inFlight.interruptTurns();
    await Promise.all([this.#waitUntilIdle(farewellMs), this.#exchanges.close()]);
    server.closeAllConnections();
    await released;
    await this.#app.close();
    this.#state = "closed";
  }

  /** Or until the limit, or until `destroy`. */
  async #waitUntilIdle(limitMs: number): Promise<void> {
    const limits = { timeoutMs: limitMs, signal: this.#hurried.signal };
    await waitWithin(this.#inFlight.whenIdle(), limits, () => {});
  }
}
