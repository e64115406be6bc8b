/** Messages between the supervisor and a worker that belong to no turn: Piscina's tasks, and those of the worker's control port. */
import type { MessagePort } from "node:worker_threads";
import type { AppServerEndpoint } from "./endpoint.js";
import type { TurnErrorData } from "./errors.js";
import type { NativeAnswer, NativeQuery, RateLimits } from "./native-queries.js";

/** First task of every new thread: hands it its control port. Settles at once; the port lives on. */
export interface AttachTask {
  readonly kind: "attach";
  readonly controlPort: MessagePort;
  readonly workerGeneration: number;
  readonly reportIntervalMs: number;
  /** Silence of the app-server after which it is asked whether it lives, in milliseconds. */
  readonly probeIdleMs: number;
  /** Empty directory that native threads have as their working directory. */
  readonly workDirectory: string;
  readonly clientVersion: string;
}

/** One turn; settles when the thread is done with it. What to run waits in its port, and the outcome travels there too. */
export interface TurnTask {
  readonly kind: "turn";
  readonly port: MessagePort;
  /** Which generation of a thread this turn was given to. */
  readonly workerGeneration: number;
}

export type WorkerTask = AttachTask | TurnTask;

export type ConnectionState =
  /** No endpoint given yet, or told to disconnect. */
  | "idle"
  /** Dialling, or waiting to dial again. */
  | "connecting"
  /** The handshake is done. */
  | "ready"
  /** The wire is open, and the app-server does not answer on it. Turns on it continue if it answers again. */
  | "silent"
  | "closed";

/** Supervisor to worker. */
export type ControlInput =
  /** Connect there, dropping any connection of an older generation. */
  | { readonly type: "connect"; readonly endpoint: AppServerEndpoint; readonly appServerGeneration: number }
  | { readonly type: "disconnect" }
  /** Unload a native thread that a turn left loaded, then answer `thread_released`. */
  | { readonly type: "release_thread"; readonly threadId: string }
  /** Ask the app-server for a sign of life, then send the connection's state as a `connection` message. Proofs are counted. */
  | { readonly type: "prove"; readonly proof: number }
  | {
      readonly type: "query";
      readonly queryId: number;
      readonly query: NativeQuery;
      readonly timeoutMs: number;
    }
  /** Close everything, then answer `closed`. */
  | { readonly type: "close" };

/** Worker to supervisor. */
export type ControlOutput =
  | {
      readonly type: "connection";
      readonly state: ConnectionState;
      readonly appServerGeneration: number;
      /** The last `prove` taken; 0 before the first. "ready" with it means an answer or a handshake since. */
      readonly proof: number;
      /** Codex's version, once the handshake said so. */
      readonly codexVersion: string | null;
      /** Why it is not ready, safe to show. */
      readonly reason: string | null;
    }
  | { readonly type: "report"; readonly report: WorkerReport }
  | { readonly type: "answer"; readonly queryId: number; readonly answer: NativeAnswer }
  | { readonly type: "query_failed"; readonly queryId: number; readonly error: TurnErrorData }
  /** Codex leaves a call of this query unanswered while it answers others. May come several times. */
  | { readonly type: "query_overdue"; readonly queryId: number }
  /** Codex says that the login changed: ask again. */
  | { readonly type: "account_changed" }
  | { readonly type: "rate_limits"; readonly rateLimits: RateLimits }
  /** Codex has unloaded it, or cannot be asked to any more. */
  | { readonly type: "thread_released"; readonly threadId: string }
  /** stdio only: the process this worker spawned, for the supervisor's ledger; null when it is gone. */
  | { readonly type: "child"; readonly pid: number | null }
  | { readonly type: "closed" };

/** A worker's own view of itself, sent at a steady pace. */
export interface WorkerReport {
  readonly activeTurns: number;
  readonly completedTurns: number;
  readonly reconnects: number;
  /** Calls without an answer for more than five seconds, while the app-server answers others. */
  readonly hangingCalls: number;
  /** Mean delay of the thread's event loop since the last report, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Faults counted since the thread began, by name. */
  readonly faults: Readonly<Record<string, number>>;
}
