import type { AppServerEndpoint } from "../../../workers/contract/endpoint.js";
import type { AppServerHealth } from "../../runtime/types.js";
import type { HangTimes } from "./hang-watch.js";

/** An app-server that workers can connect to. */
export interface ReadyAppServer<Endpoint extends AppServerEndpoint = AppServerEndpoint> {
  readonly generation: number;
  readonly endpoint: Endpoint;
  /** Null unless it is a single process that this service started. */
  readonly pid: number | null;
  /** How many workers connect; the others stay idle. Default: all. */
  readonly maxWorkers?: number;
}

export interface DownAppServer {
  readonly generation: number;
  /** Safe to show to callers. */
  readonly reason: string;
  /** Bounded tail of its stderr, for logs only; null where the workers hold the processes. */
  readonly stderrTail: string | null;
  /** When the next generation starts; null if none will, because of `close` or because it would fail the same way. */
  readonly retryInMs: number | null;
  /** It was ended because somebody asked for another, not because of a fault. */
  readonly isPlanned: boolean;
  /** Whether recovery will take longer than moments: the window's restarts are used up, or the preparation failed. */
  readonly exhausted: boolean;
  /** Why it could not be started, for logs only; null for a process that had been up. */
  readonly cause: unknown;
}

export interface RetiredAppServer {
  readonly generation: number;
  readonly reason: string;
}

export interface AppServerEvents<Ready extends ReadyAppServer = ReadyAppServer> {
  /** The new generation is ready and takes all new work; an older one, if any, is retiring. */
  readonly onReady: (server: Ready) => void;
  /** The current generation ended, or a new one failed to start. */
  readonly onDown: (server: DownAppServer) => void;
  /** A generation that a `rotate` replaced has ended. */
  readonly onRetired: (server: RetiredAppServer) => void;
  /** Another of these callbacks threw, or a cleanup failed. For the log only; must not throw. */
  readonly onFault: (fault: string, cause: unknown) => void;
}

/** Provides the app-server for one transport, and replaces it when it ends. */
export interface AppServerSource {
  /**
   * Resolves when workers can connect to the first app-server. Rejects if it fails to start; retries continue until `close`.
   */
  start(): Promise<void>;
  /** Ends the app-server, with all turns on it, and starts a new generation. `isPlanned`: it has no fault. Default: it has. */
  restart(reason: string, isPlanned?: boolean): Promise<void>;
  /** Starts a new generation beside the old one. The old one finishes its turns until `release`. */
  rotate(reason: string): Promise<void>;
  /** Ends a retired generation that has no turns left. Does nothing for any other generation. */
  release(generation: number): Promise<void>;
  /** Starts nothing more. Resolves when every process it started has ended. */
  close(): Promise<void>;
  /** Whether an app-server should be there to answer workers. */
  readonly isUp: boolean;
  /** How long the app-server may leave workers unanswered before it is replaced; null if this service must not end it. */
  readonly hangTimes: HangTimes | null;
  /** Names of the features that are missing in this mode. */
  readonly degraded: readonly string[];
  /** Answers at once from what is known. */
  health(): Pick<AppServerHealth, "transport" | "generation" | "pid" | "restarts" | "uptimeMs">;
}

/** An app-server that somebody else runs. The service connects to it and never starts or stops it. */
export class AttachedAppServer implements AppServerSource {
  readonly hangTimes = null;
  readonly degraded = [];
  readonly #endpoint: Extract<AppServerEndpoint, { readonly kind: "unix" | "tcp" }>;
  readonly #events: AppServerEvents;
  #generation = 0;

  constructor(
    endpoint: Extract<AppServerEndpoint, { readonly kind: "unix" | "tcp" }>,
    events: AppServerEvents,
  ) {
    this.#endpoint = endpoint;
    this.#events = events;
  }

  get isUp(): boolean {
    return this.#generation > 0;
  }

  async start(): Promise<void> {
    this.#generation += 1;
    this.#events.onReady({ generation: this.#generation, endpoint: this.#endpoint, pid: null });
  }

  restart(): Promise<void> {
    return this.start();
  }

  rotate(): Promise<void> {
    return this.start();
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {}

  health(): ReturnType<AppServerSource["health"]> {
    const none = { pid: null, restarts: 0, uptimeMs: null };
    return { transport: this.#endpoint.kind, generation: this.#generation, ...none };
  }
}
