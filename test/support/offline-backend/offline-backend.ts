import { createServer, type Server } from "node:http";
import { type AccountLimitSettings, AccountLimits } from "./account-limits.js";
import { type AskedRequest, AskedRoutes } from "./asked-routes.js";
import { type BackendCounters, newCounters } from "./counters.js";
import type { DemandedForm } from "./demanded-form.js";
import { DeviceLogins } from "./device-logins.js";
import { managedConfiguration } from "./full-account.js";
import { sendJson } from "./http-exchange.js";
import { routeHttp } from "./http-router.js";
import type { JsonObject } from "./json.js";
import { ModelService } from "./model-service.js";
import { defaultRateLimits, type RateLimitSettings, RateLimits } from "./rate-limits.js";
import type { RecordedModelRequest } from "./recorded-request.js";
import type { ReplySource } from "./reply.js";
import { ReplyScript, type RequestMatch } from "./reply-script.js";
import { RequestLog, type WaitForRequestOptions } from "./request-log.js";
import { type AccountForm, unroutedWorkspace, type WorkspaceRouting } from "./route.js";
import { TokenAuthority } from "./token-authority.js";
import { WebSocketListener } from "./websocket-listener.js";

/** What a backend answers beside the model. Every part has a default. */
export interface OfflineBackendOptions {
  /** Default `accept`. */
  readonly webSocket?: "accept" | "refuse";
  /** The status a refused upgrade gets. Default 426, at which Codex falls back to SSE at once. */
  readonly webSocketRefusalStatus?: number;
  /** Requests kept in `requests`; the oldest go first. 0 keeps none. Default 10,000. */
  readonly maxRecorded?: number;
  /** The body of `GET /v1/models`, as `codex debug models` prints it. Default: 404. */
  readonly catalog?: JsonObject;
  readonly rateLimits?: RateLimitSettings;
  /** What its accounts have beside their windows. Default: what `TEST_ACCOUNT` says, else `bare`, nothing. */
  readonly account?: AccountForm;
  /** Another organisation's managed configuration than a full account has, as `GET …/wham/config/bundle` answers it. */
  readonly managedConfiguration?: JsonObject;
  /** How many of the first questions which accounts there are get a 503. Default 0. */
  readonly refusedAccountChecks?: number;
  /** The same for managed configuration. Codex asks five times before it gives up. */
  readonly refusedBundles?: number;
  /** Where its accounts' workspaces want the model's requests. Default: where they go anyway. */
  readonly workspaceRouting?: WorkspaceRouting;
  /**
   * Routes that nobody answers and that are asked for on purpose, as `GET /path`; `any` where no test looks on. Every other
   * unknown route makes `close` fail.
   */
  readonly unknownRoutes?: "any" | readonly string[];
  /** The only form of prompt that it takes. Default: any. */
  readonly demandedForm?: DemandedForm;
  /** What each account may ask at once. Default: anything. */
  readonly limits?: AccountLimitSettings;
}

/** `TEST_ACCOUNT=personal` runs any test with an account that has everything, but where the test says which it wants. */
const defaultAccount: AccountForm = process.env.TEST_ACCOUNT === "personal" ? "personal" : "bare";

/**
 * A model backend on loopback that the real Codex talks to as if it were OpenAI's: it records what it is
 * asked and answers what it is told to. Nothing leaves the machine.
 */
export class OfflineBackend {
  readonly origin: string;
  readonly counters: Readonly<BackendCounters>;
  readonly account: AccountForm;
  readonly tokens: TokenAuthority;
  readonly deviceLogins: DeviceLogins;
  readonly #server: Server;
  readonly #sockets: WebSocketListener;
  readonly #service: ModelService;
  readonly #script: ReplyScript;
  readonly #log: RequestLog;
  readonly #rateLimits: RateLimits;
  readonly #limits: AccountLimits;
  readonly #asked: AskedRoutes;
  #heldRefreshes: Promise<void> = Promise.resolve();
  #accountCheckDelayMs = 0;
  #closing: Promise<void> | undefined;

  static async start(options: OfflineBackendOptions = {}): Promise<OfflineBackend> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", resolve);
    });
    return new OfflineBackend(server, options);
  }

  private constructor(server: Server, options: OfflineBackendOptions) {
    const address = server.address();
    if (address === null || typeof address === "string") {
      throw new Error("The offline backend's listener has no port.");
    }
    this.origin = `http://127.0.0.1:${address.port}`;
    const counters = newCounters();
    this.counters = counters;
    this.account = options.account ?? defaultAccount;
    this.tokens = new TokenAuthority(counters);
    this.deviceLogins = new DeviceLogins(this.tokens, counters);
    this.#server = server;
    this.#script = new ReplyScript();
    const maxRecorded = options.maxRecorded ?? 10_000;
    this.#log = new RequestLog(maxRecorded);
    this.#asked = new AskedRoutes(maxRecorded, options.unknownRoutes ?? []);
    this.#rateLimits = new RateLimits(options.rateLimits ?? defaultRateLimits(), this.account);
    this.#limits = new AccountLimits(options.limits ?? {}, counters);
    this.#service = new ModelService({
      counters,
      limits: this.#limits,
      demandedForm: options.demandedForm ?? null,
      rateLimits: this.#rateLimits,
      script: this.#script,
      log: this.#log,
      tokens: this.tokens,
    });
    this.#sockets = new WebSocketListener(server, {
      service: this.#service,
      tokens: this.tokens,
      limits: this.#limits,
      counters,
      asked: this.#asked,
      refusalStatus: options.webSocket === "refuse" ? (options.webSocketRefusalStatus ?? 426) : null,
    });
    this.#listen(options, counters);
  }

  /** Model requests in the order of their arrival, warm-ups apart. */
  get requests(): readonly RecordedModelRequest[] {
    return this.#log.requests;
  }

  get warmups(): readonly RecordedModelRequest[] {
    return this.#log.warmups;
  }

  /** Every request in the order of its arrival, whatever its route, upgrades too. */
  get asked(): readonly AskedRequest[] {
    return this.#asked.requests;
  }

  /** The answer to every request that no rule and no queued reply takes. At first: `echo()`. */
  setDefaultReply(reply: ReplySource): void {
    this.#script.setDefault(reply);
  }

  /** One reply a model request, in order, before the default. */
  queueReply(...replies: readonly ReplySource[]): void {
    this.#script.queue(replies);
  }

  /** For requests that match; looked at before the queue, first rule first. Default: any number of times. */
  whenReply(match: RequestMatch, reply: ReplySource, options: { readonly times?: number } = {}): void {
    this.#script.when(match, reply, options.times ?? Number.POSITIVE_INFINITY);
  }

  /** The first request that matches, also one that came before. Fails after `timeoutMs` or on close. */
  async waitForRequest(
    match: RequestMatch = () => true,
    options: WaitForRequestOptions = {},
  ): Promise<RecordedModelRequest> {
    return await this.#log.waitFor(match, options);
  }

  /** What `/wham/usage`, the response headers and the WebSocket event say from now on. */
  setRateLimits(settings: RateLimitSettings): void {
    this.#rateLimits.set(settings);
  }

  /** How long from now on it takes to answer which accounts there are, which Codex waits for before it says who is logged in. */
  setAccountCheckDelay(delayMs: number): void {
    this.#accountCheckDelayMs = delayMs;
  }

  /** WebSockets that open from now on are closed after so long without a frame; null: never. */
  setWebSocketIdleLimit(idleMs: number | null): void {
    this.#sockets.idleMs = idleMs;
  }

  /** The status of upgrades from now on; null: they are accepted. WebSockets that are open stay so. */
  refuseWebSockets(status: number | null): void {
    this.#sockets.refusalStatus = status;
  }

  /** What each account may ask from now on; what is in work goes on. */
  setAccountLimits(settings: AccountLimitSettings): void {
    this.#limits.set(settings);
  }

  /** Requests from now on are taken in this form alone; null: in any. */
  setDemandedForm(form: DemandedForm | null): void {
    this.#service.demandedForm = form;
  }

  /**
   * Uses up refresh tokens as ever, but hands the new tokens out only once the returned function was called. Refusals are not held.
   */
  holdTokenRefreshes(): () => void {
    let release = () => {};
    this.#heldRefreshes = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** What a Codex process must have in its environment to use this backend for everything. */
  environment(): Record<string, string> {
    return {
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${this.origin}/oauth/token`,
      CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${this.origin}/oauth/revoke`,
      CODEX_APP_SERVER_LOGIN_ISSUER: this.origin,
    };
  }

  /** Ends every connection and listener. Fails when a scripted reply threw, and for each unknown route that was asked for. */
  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    await this.#closing;
  }

  async #shutDown(): Promise<void> {
    this.#service.startClosing();
    this.#log.close();
    this.#sockets.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    const { unexpected } = this.#asked;
    const faults = [
      ...this.#service.faults,
      ...unexpected.map((route) => new Error(`Unknown route: ${route}`)),
    ];
    if (faults.length > 0) {
      const unknown = unexpected.length === 0 ? "" : ` Unknown routes: ${unexpected.join(", ")}.`;
      throw new AggregateError(faults, `The offline backend met faults of its script.${unknown}`);
    }
  }

  #listen(options: OfflineBackendOptions, counters: BackendCounters): void {
    const parts = {
      service: this.#service,
      tokens: this.tokens,
      deviceLogins: this.deviceLogins,
      counters,
      account: this.account,
      managedConfiguration:
        options.managedConfiguration ?? (this.account === "full" ? managedConfiguration() : {}),
      catalog: options.catalog,
      heldTokenRefreshes: () => this.#heldRefreshes,
      accountCheckDelayMs: () => this.#accountCheckDelayMs,
      refusedAccountChecks: options.refusedAccountChecks ?? 0,
      refusedBundles: options.refusedBundles ?? 0,
      workspaceRouting: options.workspaceRouting ?? unroutedWorkspace,
    };
    this.#server.on("request", (request, response) => {
      counters.arrivals++;
      const asked = this.#asked.add(request, false);
      routeHttp({ request, response, parts }, asked, this.#asked).catch((error: unknown) => {
        // A client that leaves while its body is read is no fault; a script that throws is.
        if (!request.destroyed || request.complete) {
          this.#service.reportFault(error);
        }
        if (response.headersSent || request.destroyed) {
          response.destroy();
        } else {
          sendJson(response, 500, { error: { message: String(error), type: "offline_backend_fault" } });
        }
      });
    });
  }
}
