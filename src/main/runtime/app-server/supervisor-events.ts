import type { AppServerEndpoint } from "../../../workers/contract/endpoint.js";

export interface ReadyAppServer {
  readonly generation: number;
  readonly endpoint: Extract<AppServerEndpoint, { readonly kind: "unix" }>;
  readonly pid: number;
  /** Wall clock, in milliseconds. */
  readonly startedAt: number;
}

export interface DownAppServer {
  readonly generation: number;
  /** Safe to show. */
  readonly reason: string;
  /** Bounded tail of its stderr, for logs only. */
  readonly stderrTail: string;
  /** When the next generation is tried; null when none will be, because of `close` or since it would fail alike. */
  readonly retryInMs: number | null;
  /** Restarts of this window are used up, or it could not even be prepared: whoever waits for it should hear why instead. */
  readonly exhausted: boolean;
  /** Why it could not be started, for logs only; null for a process that was up. */
  readonly cause: unknown;
}

export interface RetiredAppServer {
  readonly generation: number;
  readonly reason: string;
}

/** Each `onReady` is followed by exactly one `onDown` or `onRetired` of the same generation. */
export interface AppServerSupervisorEvents {
  /** It accepts connections and takes all new work from now on; an older generation, if any, is retiring. */
  readonly onReady: (server: ReadyAppServer) => void;
  /** The current generation is gone, or a new one could not be started. */
  readonly onDown: (server: DownAppServer) => void;
  /** A generation that a `rotate` replaced is gone. */
  readonly onRetired: (server: RetiredAppServer) => void;
  /** Another of these callbacks threw, or cleaning up failed: for the log. Must not throw. */
  readonly onFault: (fault: string, cause: unknown) => void;
}

export type AppServerSupervisorState =
  /** Made, not started. */
  | "idle"
  /** A generation is starting and there is no other. */
  | "starting"
  /** The current generation accepts connections. */
  | "ready"
  /** Waiting to start the next generation. */
  | "backing_off"
  | "closing"
  | "closed";

export interface AppServerSupervisorHealth {
  readonly state: AppServerSupervisorState;
  /** The current generation, or the last that was tried. */
  readonly generation: number;
  readonly pid: number | null;
  /** Sampled in the background at most once a second; null before the first sample and where it cannot be had. */
  readonly rssBytes: number | null;
  readonly restarts: number;
  readonly uptimeMs: number | null;
}
