import type { ConnectionState } from "../contract/control-messages.js";
import type { AppServerEndpoint } from "../contract/endpoint.js";
import type { JsonObject } from "../contract/json.js";
import { createDeferred, type Deferred, waitWithin } from "../contract/wait.js";
import { connectionLimits } from "./connection-limits.js";
import {
  BadAnswerError,
  CallAbortedError,
  CallTimeoutError,
  describeDialFailure,
  NotReadyError,
  TooManyCallsError,
  WrongStateError,
} from "./errors.js";
import type { JsonRpcClientOptions } from "./json-rpc-client.js";
import { NotificationRouter, type ThreadListener } from "./notification-router.js";
import type { CallOptions } from "./pending-calls.js";
import type { MethodName, MethodParams, MethodResult, ToolCall } from "./protocol.js";
import { answerServerRequest } from "./server-request-policy.js";
import {
  type CreateTransport,
  callMethod,
  createTransport,
  type MethodCallOptions,
  openSession,
  type Session,
} from "./session.js";
import { type BackoffOptions, type DialOptions, type ProbeTimes, SessionKeeper } from "./session-keeper.js";

export type { ThreadListener } from "./notification-router.js";

export interface ConnectionStateChange {
  readonly state: ConnectionState;
  readonly appServerGeneration: number;
  readonly codexVersion: string | null;
  /** Why it is not ready, safe to show. */
  readonly reason: string | null;
}

interface AppServerConnectionCallbacks {
  /** Also called when a further dial failed: same state, new reason. */
  onStateChange?(change: ConnectionStateChange): void;
  /** False: the app-server has left a probe unanswered for a while. True: it has answered one since. */
  onAnswering?(answers: boolean): void;
  onAccountNotice?(method: string, params: JsonObject): void;
  /** stdio only: the id of our own process, null when it has ended. */
  onChild?(pid: number | null): void;
}

export interface AppServerConnectionOptions {
  /** Default: `codex-native-api`. */
  readonly clientName?: string;
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
 * A worker's connection to an app-server: dials, shakes hands, dials again when the wire breaks, and passes each notification to its
 * thread. `idle` → `connecting` → `ready` → `connecting` …; `closed` from anywhere, for good.
 */
export class AppServerConnection {
  readonly #options: AppServerConnectionOptions;
  readonly #now: () => number;
  readonly #router: NotificationRouter;
  /** The waits for readiness. */
  readonly #waiters = new Set<Deferred<void>>();
  #state: ConnectionState = "idle";
  #appServerGeneration = 0;
  #reconnects = 0;
  #keeper: SessionKeeper | null = null;
  /** Settles when every earlier wire is released. */
  #released: Promise<void> = Promise.resolve();

  constructor(options: AppServerConnectionOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
    const { callbacks, countFault } = options;
    this.#router = new NotificationRouter({
      maxThreadListeners: connectionLimits.maxThreadListeners,
      countFault,
      onNotice: (method, { about, params }) => {
        if (about === "account") callbacks.onAccountNotice?.(method, params);
      },
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get appServerGeneration(): number {
    return this.#appServerGeneration;
  }

  /** The version that Codex gave in the current handshake; null without one. */
  get codexVersion(): string | null {
    return (this.#state === "ready" && this.#keeper?.session?.codexVersion) || null;
  }

  /** How many broken wires were replaced. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /**
   * Connects to the endpoint, and stays connected until another `connect`, `disconnect` or `close`. An older connection is dropped
   * first: its calls fail and its listeners are notified. Throws `WrongStateError` after `close`.
   */
  connect(endpoint: AppServerEndpoint, appServerGeneration: number): void {
    if (this.#state === "closed") throw new WrongStateError("the connection is closed for good");
    const keeper = new SessionKeeper({
      dial: (wire) => this.#dial(endpoint, wire),
      backoff: this.#options.backoff ?? defaultBackoff,
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
  async whenReady({ timeoutMs, signal }: CallOptions): Promise<void> {
    if (this.#state === "closed") throw new NotReadyError("the connection is closed");
    if (this.#state === "ready") return;
    if (this.#waiters.size >= connectionLimits.maxReadyWaiters)
      throw new TooManyCallsError("too many calls wait for the app-server");
    const waiter = createDeferred<void>();
    this.#waiters.add(waiter);
    try {
      await waitWithin(waiter.promise, { timeoutMs, signal }, (end) => {
        throw end === "timeout"
          ? new NotReadyError(`the app-server was not ready within ${timeoutMs} ms`)
          : new CallAbortedError("the wait for the app-server was aborted", { cause: signal?.reason });
      });
    } finally {
      this.#waiters.delete(waiter);
    }
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
        this.#keeper?.markSuspect();
      }
      throw error;
    }
  }

  /**
   * Passes a thread's notifications and tool calls to the listener until the returned function is called or the wire
   * breaks. Throws `NotReadyError`, `TooManyThreadsError`, and `WrongStateError` when the thread has a listener.
   */
  subscribeThread(threadId: string, listener: ThreadListener): () => void {
    // Before the handshake a listener would wait for a thread that the next app-server does not know.
    if (this.#state !== "ready") throw new NotReadyError("the app-server is not connected");
    return this.#router.subscribe(threadId, listener);
  }

  /** Probes the app-server; `onAnswering` reports the result. False while there is no connection to probe. */
  prove(): boolean {
    return this.#keeper?.markSuspect() ?? false;
  }

  /** Calls without an answer for more than five seconds, while the app-server answers others. */
  get hangingCalls(): number {
    return this.#keeper?.session?.client.hangingCalls ?? 0;
  }

  /**
   * Whether the app-server has answered a probe sent within this time; sends one now if that is not known. Takes no longer than the
   * probe's deadline. Never rejects: a connection that is not ready does not answer.
   */
  async answersWithin(timeMs: number): Promise<boolean> {
    return (await this.#keeper?.answersSince(this.#now() - timeMs)) ?? false;
  }

  /** Drops the wire and stays idle. Resolves when everything is released; waits for readiness continue. */
  async disconnect(): Promise<void> {
    if (this.#state === "closed") return this.#released;
    this.#setState("idle", "disconnected");
    await this.#drop();
  }

  /** Ends the connection for good. Every call, listener and waiter is settled before this resolves. Repeated calls join the first. */
  async close(): Promise<void> {
    if (this.#state === "closed") return this.#released;
    this.#setState("closed", "closed");
    await this.#drop();
  }

  /** Change the state first: a listener that learns of the loss must not find the connection ready. */
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
      this.#options.callbacks.onStateChange?.({ state, appServerGeneration, codexVersion, reason });
    } catch {
      // The waiters below must be settled all the same, and dialling must continue.
      this.#options.countFault("state_handler_threw");
    }
    for (const { resolve, reject } of this.#waiters) {
      if (state === "ready") resolve();
      if (state === "closed") reject(new NotReadyError("the connection is closed"));
    }
  }

  #dial(endpoint: AppServerEndpoint, { signal, ...wire }: DialOptions): Promise<Session> {
    const { clientName = "codex-native-api", clientVersion, callbacks, countFault } = this.#options;
    const open = this.#options.createTransport ?? createTransport;
    const context = {
      callTool: (threadId: string, call: ToolCall) => this.#router.callTool(threadId, call),
      countFault,
      wallClock: () => Date.now(),
    };
    const rpc: JsonRpcClientOptions = {
      transport: open(endpoint, (pid) => callbacks.onChild?.(pid)),
      onNotification: this.#router.route,
      onRequest: (method, params) => answerServerRequest(method, params, context),
      ...wire,
      countFault,
      now: this.#now,
      maxGarbageInARow: connectionLimits.maxGarbageInARow,
      maxOpenRequests: connectionLimits.maxOpenServerRequests,
    };
    return openSession({ rpc, clientName, clientVersion, signal });
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
