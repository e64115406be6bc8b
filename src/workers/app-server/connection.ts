import type { ConnectionState } from "../contract/control-messages.js";
import type { AppServerEndpoint } from "../contract/endpoint.js";
import type { JsonObject } from "../contract/json.js";
import { createDeferred, type Deferred, waitWithin } from "../contract/wait.js";
import { accountNotificationSchemas, serverNoticeSchemas } from "./account-methods.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { callMethod, type MethodCallOptions } from "./call-method.js";
import { connectionLimits } from "./connection-limits.js";
import { type CreateTransport, createTransport } from "./create-transport.js";
import { describeDialFailure } from "./describe-failure.js";
import {
  type AppServerError,
  BadAnswerError,
  CallAbortedError,
  CallTimeoutError,
  NotReadyError,
  RpcError,
  TooManyCallsError,
  WrongStateError,
} from "./errors.js";
import type { JsonRpcClientOptions } from "./json-rpc-client.js";
import { openSession, type Session } from "./open-session.js";
import type { CallOptions } from "./pending-calls.js";
import type { MethodName, MethodParams, MethodResult, ToolCall } from "./protocol.js";
import { answerServerRequest } from "./server-request-policy.js";
import { type ProbeTimes, SessionKeeper } from "./session-keeper.js";
import { type ThreadListener, ThreadRouter } from "./thread-router.js";

export type { CallOptions } from "./pending-calls.js";
export type { ThreadListener } from "./thread-router.js";

export interface ConnectionStateChange {
  readonly state: ConnectionState;
  readonly appServerGeneration: number;
  readonly codexVersion: string | null;
  /** Why it is not ready, safe to show. */
  readonly reason: string | null;
}

interface AppServerConnectionCallbacks {
  /** Also when a further dial failed: same state, new reason. */
  onStateChange(change: ConnectionStateChange): void;
  /** The app-server has not answered a probe for a while, or has answered one. Default: nobody asks. */
  onAnswering?(answers: boolean): void;
  onAccountNotice(method: string, params: JsonObject): void;
  /** Warnings of the app-server's that concern no thread (`warning`, `configWarning`). Default: dropped. */
  onServerNotice?(method: string, params: JsonObject): void;
  /** stdio only: the process of ours, null when it is gone. */
  onChild(pid: number | null): void;
}

export interface AppServerConnectionOptions {
  readonly clientName: string;
  readonly clientVersion: string;
  readonly callbacks: AppServerConnectionCallbacks;
  readonly countFault: (name: string) => void;
  /** Default: 50 ms doubling to 5 s, jittered by `Math.random`. */
  readonly backoff?: BackoffOptions;
  /** Default: after 15 s of silence, 10 s to answer. */
  readonly probe?: ProbeTimes;
  /** Monotonic, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** Default: the transport that the endpoint's kind calls for. */
  readonly createTransport?: CreateTransport;
}

/**
 * One thread's connection to an app-server: dials, shakes hands, dials again when the wire breaks, and brings each
 * notification to its thread. `idle` → `connecting` → `ready` → `connecting` …; `closed` from anywhere, for good.
 */
export class AppServerConnection {
  readonly #options: AppServerConnectionOptions;
  readonly #now: () => number;
  readonly #router: ThreadRouter;
  readonly #waiters = new ReadyWaiters(connectionLimits.maxReadyWaiters);
  #state: ConnectionState = "idle";
  #appServerGeneration = 0;
  #reconnects = 0;
  #keeper: SessionKeeper | null = null;
  /** Settles when every wire of before is released. */
  #released: Promise<void> = Promise.resolve();

  constructor(options: AppServerConnectionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#router = new ThreadRouter(connectionLimits.maxThreadListeners, options.countFault);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get appServerGeneration(): number {
    return this.#appServerGeneration;
  }

  /** Codex's version as the present handshake said it; null while there is none. */
  get codexVersion(): string | null {
    return (this.#state === "ready" && this.#keeper?.session?.codexVersion) || null;
  }

  /** How often a wire that broke was replaced. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /**
   * Connects there, and keeps at it until told otherwise. An older connection is dropped first; its listeners and calls
   * are told. Throws `WrongStateError` after `close`.
   */
  connect(endpoint: AppServerEndpoint, appServerGeneration: number): void {
    if (this.#state === "closed") throw new WrongStateError("the connection is closed for good");
    const keeper: SessionKeeper = new SessionKeeper({
      dial: (signal, onClose) => {
        const answersSince = (time: number) => keeper.answersSince(time);
        return this.#dial(endpoint, { signal, onClose, answersSince });
      },
      backoff: new Backoff(this.#options.backoff ?? defaultBackoff),
      probe: this.#options.probe ?? defaultProbe,
      now: this.#now,
      countFault: this.#options.countFault,
      onReady: (_session, reconnected) => {
        if (reconnected) this.#reconnects += 1;
        this.#setState("ready", null);
      },
      onLost: (error, planned) => {
        if (!planned) this.#setState("connecting", error.message);
        this.#router.drop(error);
      },
      onAnswering: (answers) => this.#options.callbacks.onAnswering?.(answers),
      onDialFailed: (error) => {
        this.#options.countFault("dial_failed");
        this.#setState("connecting", describeDialFailure(error));
      },
    });
    this.#appServerGeneration = appServerGeneration;
    this.#setState("connecting", null);
    const released = this.#drop();
    this.#keeper = keeper;
    keeper.start(released);
  }

  /** @throws NotReadyError when the deadline passes or the connection is closed; CallAbortedError, TooManyCallsError */
  async whenReady(options: CallOptions): Promise<void> {
    if (this.#state === "closed") throw new NotReadyError("the connection is closed");
    if (this.#state !== "ready") await this.#waiters.wait(options);
  }

  /** @throws NotReadyError before the handshake is done, BadAnswerError, and what `JsonRpcClient.call` throws */
  async call<Method extends MethodName>(
    method: Method,
    params: MethodParams<Method>,
    options: MethodCallOptions<Method>,
  ): Promise<MethodResult<Method>> {
    const session = this.#keeper?.session ?? null;
    if (this.#state !== "ready" || session === null)
      throw new NotReadyError("the app-server is not connected");
    try {
      return await callMethod(session.client, method, params, options);
    } catch (error) {
      if (error instanceof BadAnswerError) this.#options.countFault(`bad_answer:${method}`);
      if (error instanceof CallTimeoutError) {
        this.#options.countFault(`unanswered:${method}`);
        this.#keeper?.suspect();
      }
      throw error;
    }
  }

  /**
   * Brings a thread's notifications and tool calls to the listener until the returned function is called or the wire
   * breaks. Throws `NotReadyError`, `TooManyThreadsError`, and `WrongStateError` when the thread has a listener.
   */
  subscribeThread(threadId: string, listener: ThreadListener): () => void {
    // A listener of before the handshake would wait for a thread that the next app-server does not know.
    if (this.#state !== "ready") throw new NotReadyError("the app-server is not connected");
    return this.#router.subscribe(threadId, listener);
  }

  /** Asks for a sign of life, and `onAnswering` says what came of it. False while there is no connection to ask. */
  prove(): boolean {
    return this.#keeper?.suspect() ?? false;
  }

  /** Calls without an answer for more than five seconds, while the app-server answers others. */
  get hangingCalls(): number {
    return this.#keeper?.session?.client.hangingCalls ?? 0;
  }

  /**
   * Whether the app-server has answered a question that was asked within this time; asks one now unless that is known. The
   * answer takes no longer than the probe's deadline. Never rejects: a connection that is not ready does not answer.
   */
  async answersWithin(timeMs: number): Promise<boolean> {
    return (await this.#keeper?.answersSince(this.#now() - timeMs)) ?? false;
  }

  /** Asks for a sign of life; any answer is one. Rejects like `call` when there was none. */
  async probe(timeoutMs: number): Promise<void> {
    try {
      await this.call("thread/loaded/list", { limit: 1 }, { timeoutMs });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    }
  }

  /** Drops the wire and stays idle. Resolves when all is released; whoever waits for readiness goes on waiting. */
  async disconnect(): Promise<void> {
    if (this.#state === "closed") return this.#released;
    this.#setState("idle", "disconnected");
    await this.#drop();
  }

  /** Ends it for good. Every call, listener and waiter is told before this resolves. Repeated calls join the first. */
  async close(): Promise<void> {
    if (this.#state === "closed") return this.#released;
    this.#setState("closed", "closed");
    await this.#drop();
  }

  /** The state is changed before: nobody who hears of the loss may find the connection ready. */
  #drop(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = null;
    if (keeper !== null) this.#released = Promise.all([this.#released, keeper.stop()]).then(() => {});
    return this.#released;
  }

  #setState(state: ConnectionState, reason: string | null): void {
    this.#state = state;
    const { codexVersion, appServerGeneration } = this;
    try {
      this.#options.callbacks.onStateChange({ state, appServerGeneration, codexVersion, reason });
    } catch {
      // Those who wait must hear it all the same, and the dialling must go on.
      this.#options.countFault("state_handler_threw");
    }
    if (state === "ready") this.#waiters.settleAll(null);
    if (state === "closed") this.#waiters.settleAll(new NotReadyError("the connection is closed"));
  }

  #dial(
    endpoint: AppServerEndpoint,
    {
      signal,
      ...wire
    }: Required<Pick<JsonRpcClientOptions, "onClose" | "answersSince">> & {
      readonly signal: AbortSignal;
    },
  ): Promise<Session> {
    const { clientName, clientVersion, callbacks, countFault } = this.#options;
    const open = this.#options.createTransport ?? createTransport;
    const context = {
      callTool: (threadId: string, call: ToolCall) => this.#router.callTool(threadId, call),
      countFault,
      wallClock: () => Date.now(),
    };
    const rpc: JsonRpcClientOptions = {
      transport: open(endpoint, (pid) => callbacks.onChild(pid)),
      onNotification: (method, params) => this.#takeNotification(method, params),
      onRequest: (method, params) => answerServerRequest(method, params, context),
      ...wire,
      countFault,
      now: this.#now,
      maxGarbageInARow: connectionLimits.maxGarbageInARow,
      maxOpenRequests: connectionLimits.maxOpenServerRequests,
    };
    return openSession({ rpc, clientName, clientVersion, signal });
  }

  #takeNotification(method: string, params: unknown): void {
    if (this.#router.route(method, params)) return;
    const { callbacks, countFault } = this.#options;
    const notice = readServerNotice(method, params);
    if (notice === null) return;
    if (notice === "malformed") countFault(`malformed:${method}`);
    else if (notice.about === "account") callbacks.onAccountNotice(method, notice.params);
    else callbacks.onServerNotice?.(method, notice.params);
  }
}

const defaultBackoff: BackoffOptions = {
  minMs: connectionLimits.backoffMinMs,
  maxMs: connectionLimits.backoffMaxMs,
  random: Math.random,
};

const defaultProbe: ProbeTimes = {
  idleMs: connectionLimits.probeIdleMs,
  silentMs: connectionLimits.probeSilentMs,
  timeoutMs: connectionLimits.probeTimeoutMs,
};

interface ServerNotice {
  readonly about: "account" | "server";
  readonly params: JsonObject;
}

/** A notification that concerns no thread, or null when it is none that we read. */
export function readServerNotice(method: string, params: unknown): ServerNotice | "malformed" | null {
  const found = find(method);
  if (found === null) return null;
  const parsed = found.schema.safeParse(params);
  return parsed.success ? { about: found.about, params: parsed.data } : "malformed";
}

function find(method: string) {
  switch (method) {
    case "account/updated":
    case "account/rateLimits/updated":
    case "account/login/completed":
      return { about: "account", schema: accountNotificationSchemas[method] } as const;
    case "warning":
    case "configWarning":
      return { about: "server", schema: serverNoticeSchemas[method] } as const;
    default:
      return null;
  }
}

/** Those who wait for a connection to become ready. */
class ReadyWaiters {
  readonly #maxWaiters: number;
  readonly #waiters = new Set<Deferred<void>>();

  constructor(maxWaiters: number) {
    this.#maxWaiters = maxWaiters;
  }

  get size(): number {
    return this.#waiters.size;
  }

  async wait({ timeoutMs, signal }: CallOptions): Promise<void> {
    const aborted = () =>
      new CallAbortedError("the wait for the app-server was aborted", { cause: signal?.reason });
    if (signal?.aborted === true) throw aborted();
    if (this.#waiters.size >= this.#maxWaiters)
      throw new TooManyCallsError("too many wait for the app-server");
    const waiter = createDeferred<void>();
    this.#waiters.add(waiter);
    try {
      await waitWithin(waiter.promise, { timeoutMs, signal }, (end) => {
        throw end === "timeout"
          ? new NotReadyError(`the app-server was not ready within ${timeoutMs} ms`)
          : aborted();
      });
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Null: ready. */
  settleAll(error: AppServerError | null): void {
    for (const { resolve, reject } of this.#waiters) {
      if (error === null) resolve();
      else reject(error);
    }
    this.#waiters.clear();
  }
}
