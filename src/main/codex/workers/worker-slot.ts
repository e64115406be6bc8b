import { MessageChannel, type MessagePort } from "node:worker_threads";
import type {
  ConnectionState,
  ControlInput,
  ControlOutput,
  WorkerReport,
} from "../../../workers/contract/control-messages.js";
import type { AppServerEndpoint } from "../../../workers/contract/endpoint.js";
import type {
  AnswerTo,
  NativeAnswer,
  NativeQuery,
  RateLimits,
} from "../../../workers/contract/native-queries.js";
import { createDeferred, settlesWithin, waitWithin } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import type { WorkerHealth, WorkerSlotState } from "../../runtime/types.js";

export interface WorkerSlotCallbacks {
  readonly onConnection: (slot: WorkerSlot, change: ConnectionChange) => void;
  readonly onAccountChanged: () => void;
  readonly onRateLimits: (rateLimits: RateLimits) => void;
  /** A native thread has been unloaded, and its connection to the backend is closed. */
  readonly onThreadGone: () => void;
  /** The worker's own app-server process started, or ended (null). */
  readonly onChild: (slot: WorkerSlot, pid: number | null) => void;
  /** The worker ended unexpectedly. */
  readonly onLost: (slot: WorkerSlot) => void;
}

export type ConnectionChange = Extract<ControlOutput, { readonly type: "connection" }>;

/** How long the backend may still count a connection after Codex has closed it, in milliseconds. */
const networkMs = 250;

interface PendingQuery {
  readonly resolve: (answer: NativeAnswer) => void;
  readonly reject: (error: CodexNativeApiError) => void;
  readonly onOverdue: () => void;
}

/** One worker as the main thread sees it: its control port, its last report, its connection state and its turns. */
export class WorkerSlot {
  /** Counted from 1; a replacement gets the number of the worker that it replaces. */
  readonly place: number;
  readonly id: string;
  readonly generation: number;
  /** Node's id of the operating-system thread. */
  readonly threadId: number;
  /** The worker's end of the control port; the attach task transfers it. */
  readonly workerPort: MessagePort;
  readonly #port: MessagePort;
  readonly #callbacks: WorkerSlotCallbacks;
  readonly #now: () => number;
  readonly #queries = new Map<number, PendingQuery>();
  #state: WorkerSlotState = "booting";
  #connection: ConnectionChange | null = null;
  #wantedGeneration = 0;
  /** Number of the last proof that the worker was asked for. */
  #proof = 0;
  #report: WorkerReport | null = null;
  #reportedAtMs = 0;
  #nextQueryId = 1;
  readonly #closed = createDeferred<void>();
  /** Native threads that the worker was asked to unload. */
  readonly #releasing = new Set<string>();
  #turnThreadsLeaving = 0;
  /** Turns that run on this worker. */
  activeTurns = 0;

  constructor(
    { place, generation, threadId }: Pick<WorkerSlot, "place" | "generation" | "threadId">,
    callbacks: WorkerSlotCallbacks,
    now: () => number,
  ) {
    this.place = place;
    this.id = `worker-${place}`;
    this.generation = generation;
    this.threadId = threadId;
    this.#callbacks = callbacks;
    this.#now = now;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.workerPort = port2;
    port1.on("message", this.#onMessage);
    port1.on("close", this.#onPortClosed);
  }

  get ready(): boolean {
    return this.#state === "ready";
  }

  /** Whether the connection to the app-server is open, even if silent. Its loaded threads then still exist. */
  get connected(): boolean {
    return this.#state === "ready" || this.#state === "silent";
  }

  get appServerGeneration(): number {
    return this.#connection?.appServerGeneration ?? 0;
  }

  get codexVersion(): string | null {
    return this.#connection?.codexVersion ?? null;
  }

  connect(endpoint: AppServerEndpoint, appServerGeneration: number): void {
    this.#wantedGeneration = appServerGeneration;
    this.#setState("connecting");
    this.#post({ type: "connect", endpoint, appServerGeneration });
  }

  disconnect(): void {
    this.#wantedGeneration = 0;
    this.#setState("connecting");
    this.#post({ type: "disconnect" });
  }

  /** Asks the worker to unload a native thread that a turn left loaded. */
  releaseThread(threadId: string): void {
    if (this.#state === "stopped") return;
    this.#releasing.add(threadId);
    this.#post({ type: "release_thread", threadId });
  }

  /** How many native threads are being unloaded. Each still has a connection to the backend. */
  get leavingThreads(): number {
    return this.#releasing.size + this.#turnThreadsLeaving;
  }

  /** Counts the native thread of a finished turn as leaving until `turn` settles, when it has been unloaded. */
  awaitThreadOf(turn: Promise<void>): void {
    this.#turnThreadsLeaving += 1;
    void turn.finally(() => {
      this.#afterBackendNotices(() => {
        this.#turnThreadsLeaving -= 1;
      });
    });
  }

  #afterBackendNotices(countOut: () => void): void {
    const gone = () => {
      countOut();
      this.#callbacks.onThreadGone();
    };
    setTimeout(gone, networkMs).unref();
  }

  /** Keeps new turns off this worker until its app-server has answered a new probe, for example after a turn on it broke. */
  markSuspect(): void {
    if (!this.connected) return;
    this.#setState("silent");
    this.#proof += 1;
    this.#post({ type: "prove", proof: this.#proof });
  }

  /** Whether the worker's last report is younger than this. */
  reportedWithin(ms: number): boolean {
    return this.#report !== null && this.#now() - this.#reportedAtMs < ms;
  }

  /** Age of the worker's last report in milliseconds; null before the first. */
  get reportAgeMs(): number | null {
    return this.#report === null ? null : this.#now() - this.#reportedAtMs;
  }

  /**
   * Asks the app-server through this worker's connection. Calls `onOverdue`, possibly several times, while Codex answers
   * other calls but not this one. Rejects with `native_runtime_unavailable` if the worker is not ready or does not answer in
   * time.
   */
  async query<Query extends NativeQuery>(
    query: Query,
    timeoutMs: number,
    onOverdue: () => void = () => {},
  ): Promise<AnswerTo<Query>> {
    const answer = await this.#ask(query, timeoutMs, onOverdue);
    if (isAnswerTo(query, answer)) return answer;
    throw workerUnavailable(`Worker ${this.id} answered ${answer.query} when asked for ${query.query}.`);
  }

  #ask(query: NativeQuery, timeoutMs: number, onOverdue: () => void): Promise<NativeAnswer> {
    if (!this.ready) return Promise.reject(workerUnavailable(`Worker ${this.id} is ${this.#state}.`));
    const queryId = this.#nextQueryId++;
    const { promise, resolve, reject } = createDeferred<NativeAnswer>();
    this.#queries.set(queryId, { resolve, reject, onOverdue });
    this.#post({ type: "query", queryId, query, timeoutMs });
    // The worker enforces the deadline; this later one covers a worker that no longer answers.
    return waitWithin(promise, { timeoutMs: timeoutMs + 1000 }, () => {
      this.#queries.delete(queryId);
      throw workerUnavailable(`Worker ${this.id} did not answer ${query.query}.`);
    });
  }

  /** Asks the worker to close its connection and waits for its confirmation, for `timeoutMs` at most. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state === "stopped") return;
    this.#setState("stopping");
    this.#post({ type: "close" });
    await settlesWithin(this.#closed.promise, timeoutMs);
    this.#stop();
  }

  health(): WorkerHealth {
    return {
      id: this.id,
      generation: this.generation,
      state: this.#state,
      activeTurns: this.activeTurns,
      completedTurns: this.#report?.completedTurns ?? 0,
      reconnects: this.#report?.reconnects ?? 0,
      hangingCalls: this.#report?.hangingCalls ?? 0,
      faults: this.#report?.faults ?? {},
      lastReportAgeMs: this.#report === null ? null : Math.round(this.#now() - this.#reportedAtMs),
      eventLoopDelayMs: this.#report?.eventLoopDelayMs ?? null,
    };
  }

  readonly #onMessage = (message: ControlOutput): void => {
    switch (message.type) {
      case "connection":
        return this.#onConnection(message);
      case "report":
        this.#report = message.report;
        this.#reportedAtMs = this.#now();
        return;
      case "answer":
        return this.#settleQuery(message.queryId, message.answer);
      case "query_failed":
        return this.#settleQuery(message.queryId, CodexNativeApiError.fromTurnError(message.error));
      case "query_overdue":
        return this.#queries.get(message.queryId)?.onOverdue();
      case "account_changed":
        return this.#callbacks.onAccountChanged();
      case "rate_limits":
        return this.#callbacks.onRateLimits(message.rateLimits);
      case "thread_released":
        return this.#afterBackendNotices(() => this.#releasing.delete(message.threadId));
      case "child":
        return this.#callbacks.onChild(this, message.pid);
      case "closed":
        this.#closed.resolve();
        return;
    }
  };

  #onConnection(change: ConnectionChange): void {
    // Ignore a late message about a connection to an earlier endpoint.
    if (change.appServerGeneration !== this.#wantedGeneration) return;
    // Sent before the worker got the last request for proof; its result follows.
    if (change.state === "ready" && change.proof < this.#proof) return;
    this.#connection = change;
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#setState(slotStates[change.state]);
    this.#callbacks.onConnection(this, change);
  }

  readonly #onPortClosed = (): void => {
    const lost = this.#state !== "stopping" && this.#state !== "stopped";
    this.#stop();
    if (lost) this.#callbacks.onLost(this);
  };

  #stop(): void {
    if (this.#state === "stopped") return;
    this.#setState("stopped");
    this.#releasing.clear();
    this.#closed.resolve();
    for (const queryId of [...this.#queries.keys()]) {
      this.#settleQuery(queryId, workerUnavailable(`Worker ${this.id} has ended.`));
    }
    this.#port.off("close", this.#onPortClosed);
    this.#port.close();
  }

  #settleQuery(queryId: number, outcome: NativeAnswer | CodexNativeApiError): void {
    const pending = this.#queries.get(queryId);
    if (pending === undefined) return;
    this.#queries.delete(queryId);
    if (outcome instanceof CodexNativeApiError) pending.reject(outcome);
    else pending.resolve(outcome);
  }

  #post(message: ControlInput): void {
    this.#port.postMessage(message);
  }

  #setState(state: WorkerSlotState): void {
    this.#state = state;
  }
}

const slotStates: Readonly<Record<ConnectionState, WorkerSlotState>> = {
  idle: "connecting",
  connecting: "connecting",
  ready: "ready",
  silent: "silent",
  closed: "connecting",
};

function isAnswerTo<Query extends NativeQuery>(
  query: Query,
  answer: NativeAnswer,
): answer is AnswerTo<Query> {
  return answer.query === query.query;
}

function workerUnavailable(message: string): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", message, { retryAfterMs: 1000 });
}
