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
import { CodexNativeApiError } from "../../errors.js";
import type { WorkerHealth, WorkerSlotState } from "../types.js";

export interface WorkerSlotCallbacks {
  readonly onConnection: (slot: WorkerSlot, change: ConnectionChange) => void;
  readonly onAccountChanged: () => void;
  readonly onRateLimits: (rateLimits: RateLimits) => void;
  /** A native thread that was on its way out is gone, and its connection to the backend with it. */
  readonly onThreadGone: () => void;
  readonly onChild: (slot: WorkerSlot, pid: number | null) => void;
  /** The thread is gone without having been told to. */
  readonly onLost: (slot: WorkerSlot) => void;
}

export type ConnectionChange = Extract<ControlOutput, { readonly type: "connection" }>;

/** When Codex has closed a connection, the backend still counts it until it hears of that. In milliseconds. */
const networkMs = 250;

interface PendingQuery {
  readonly resolve: (answer: NativeAnswer) => void;
  readonly reject: (error: CodexNativeApiError) => void;
  readonly onOverdue: () => void;
  readonly timer: NodeJS.Timeout;
}

/** One worker thread as the supervisor sees it: its control port, its last word on itself, its place in the count. */
export class WorkerSlot {
  /** From 1 on: a thread that takes another's place has its number. */
  readonly place: number;
  readonly id: string;
  readonly generation: number;
  readonly threadId: number;
  /** The worker's end of the control port, for the attach task. */
  readonly workerPort: MessagePort;
  readonly #port: MessagePort;
  readonly #callbacks: WorkerSlotCallbacks;
  readonly #now: () => number;
  readonly #queries = new Map<number, PendingQuery>();
  #state: WorkerSlotState = "booting";
  #connection: ConnectionChange | null = null;
  #wantedGeneration = 0;
  /** Proofs asked for. */
  #proof = 0;
  #report: WorkerReport | null = null;
  #reportedAtMs = 0;
  #nextQueryId = 1;
  #closed: (() => void) | null = null;
  /** Threads that the worker was told to unload. */
  readonly #releasing = new Set<string>();
  #turnThreadsLeaving = 0;
  /** Turns given to this worker and not yet back. */
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

  /** Whether the wire to the app-server stands, as far as is known, be it silent: what is loaded there is still there. */
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

  /** Has the worker unload a native thread that a turn left loaded. */
  releaseThread(threadId: string): void {
    if (this.#state === "stopped") return;
    this.#releasing.add(threadId);
    this.#post({ type: "release_thread", threadId });
  }

  /** Native threads that are on their way out: each still has its connection to the backend. */
  get leavingThreads(): number {
    return this.#releasing.size + this.#turnThreadsLeaving;
  }

  /** A turn is over; what it leaves is gone when this settles. */
  awaitThreadOf(turn: Promise<void>): void {
    this.#turnThreadsLeaving += 1;
    void turn.finally(() => {
      this.#whenBackendKnows(() => {
        this.#turnThreadsLeaving -= 1;
      });
    });
  }

  #whenBackendKnows(countOut: () => void): void {
    const gone = () => {
      countOut();
      this.#callbacks.onThreadGone();
    };
    setTimeout(gone, networkMs).unref();
  }

  /** Gives this worker no new turns until its app-server has answered a probe: a turn on that process just broke. */
  markSuspect(): void {
    if (!this.connected) return;
    this.#setState("silent");
    this.#proof += 1;
    this.#post({ type: "prove", proof: this.#proof });
  }

  /** Whether the thread has reported within this time. */
  heardWithin(ms: number): boolean {
    return this.#report !== null && this.#now() - this.#reportedAtMs < ms;
  }

  /** How long the thread has not reported, in milliseconds; null for one that is still starting. */
  get unheardMs(): number | null {
    return this.#report === null ? null : this.#now() - this.#reportedAtMs;
  }

  /**
   * Asks the app-server through this worker's connection. `onOverdue` is called, maybe several times, while Codex leaves a call of
   * this unanswered and answers others.
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
    return new Promise((resolve, reject) => {
      // The worker keeps the deadline; this one is for a worker that no longer answers.
      const timer = setTimeout(
        () =>
          this.#settleQuery(queryId, workerUnavailable(`Worker ${this.id} did not answer ${query.query}.`)),
        timeoutMs + 1000,
      );
      this.#queries.set(queryId, { resolve, reject, onOverdue, timer });
      this.#post({ type: "query", queryId, query, timeoutMs });
    });
  }

  /** Tells the worker to close its connection and waits for its word, for the given time at most. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state === "stopped") return;
    this.#setState("stopping");
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#closed = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#post({ type: "close" });
    });
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
        return this.#whenBackendKnows(() => this.#releasing.delete(message.threadId));
      case "child":
        return this.#callbacks.onChild(this, message.pid);
      case "closed":
        this.#closed?.();
        return;
    }
  };

  #onConnection(change: ConnectionChange): void {
    // A word on an older connection may still be under way when the next endpoint was given.
    if (change.appServerGeneration !== this.#wantedGeneration) return;
    // From before the proof was asked for: what came of that is said next.
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
    this.#closed?.();
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
    clearTimeout(pending.timer);
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
