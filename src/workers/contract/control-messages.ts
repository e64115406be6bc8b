/** What travels on a worker's control port, which answers while the thread runs any number of turns or none. */
import type { AppServerEndpoint } from "./endpoint.js";
import type { TurnErrorData } from "./errors.js";
import type { NativeAnswer, NativeQuery, RateLimits } from "./native-queries.js";

export type ConnectionState =
  /** No endpoint given yet, or told to disconnect. */
  | "idle"
  /** Dialling, or waiting to dial again. */
  | "connecting"
  /** The handshake is done. */
  | "ready"
  /** The wire stands, and the app-server does not answer on it. Turns on it may go on should it come back. */
  | "silent"
  | "closed";

/** Supervisor to worker. */
export type ControlInput =
  /** Connect there, dropping any connection of an older generation. */
  | { readonly type: "connect"; readonly endpoint: AppServerEndpoint; readonly appServerGeneration: number }
  | { readonly type: "disconnect" }
  /** Unload a native thread that a turn left loaded, then answer `thread_released`. */
  | { readonly type: "release_thread"; readonly threadId: string }
  /** Ask the app-server for a sign of life, and say by a `connection` message how the connection stands then. Proofs are counted. */
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
  /** Codex says that the login changed: ask anew. */
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
