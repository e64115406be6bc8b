import { AppServerConnection } from "./app-server/connection.js";
import type { ConnectionState, ControlOutput } from "./contract/control-messages.js";
import type { AppServerEndpoint } from "./contract/endpoint.js";
import type { RateLimits } from "./contract/native-queries.js";
import { readRateLimitsNotice } from "./native-queries.js";

export interface WorkerConnectionsOptions {
  readonly clientVersion: string;
  /** Silence of the app-server after which it is asked whether it lives, in milliseconds. */
  readonly probeIdleMs: number;
  readonly countFault: (name: string) => void;
  readonly post: (message: ControlOutput) => void;
}

/**
 * In milliseconds. An app-server that leaves a probe unanswered gets no new work after `silentMs`. Its connection is dropped later,
 * since an app-server that was only paused resumes its turns.
 */
const probe = { silentMs: 3_000, timeoutMs: 10_000 } as const;

/** Unchanged rate limits are posted again after this time, which is far shorter than the time for which they are trusted. */
const sameRateLimitsAgainMs = 30_000;

interface Held {
  readonly connection: AppServerConnection;
  turns: number;
}

/**
 * The worker's connection to the current app-server, and its connections to retired ones with turns under way: after a change of
 * login the old app-server finishes its turns and gets no new ones.
 */
export class WorkerConnections {
  readonly #options: WorkerConnectionsOptions;
  readonly #retiring = new Set<Held>();
  #current: Held;
  /** The number of the last proof that the supervisor requested. */
  #proof = 0;
  #lastRateLimits = { text: "", atMs: Number.NEGATIVE_INFINITY };
  #reconnectsOfRetired = 0;

  constructor(options: WorkerConnectionsOptions) {
    this.#options = options;
    this.#current = this.#open();
  }

  get current(): AppServerConnection {
    return this.#current.connection;
  }

  get reconnects(): number {
    return this.#reconnectsOfRetired + this.current.reconnects;
  }

  /** Calls without an answer for more than five seconds, on connections that answer others. */
  get hangingCalls(): number {
    const all = [this.#current, ...this.#retiring];
    return all.reduce((sum, { connection }) => sum + connection.hangingCalls, 0);
  }

  connect(endpoint: AppServerEndpoint, appServerGeneration: number): void {
    const former = this.#current;
    if (former.turns > 0) {
      this.#reconnectsOfRetired += former.connection.reconnects;
      this.#retiring.add(former);
      this.#current = this.#open();
    }
    this.#current.connection.connect(endpoint, appServerGeneration);
  }

  /** Probes the app-server, and posts the connection's state with the result. */
  prove(proof: number): void {
    this.#proof = proof;
    if (!this.current.prove()) this.#postConnection(this.current.state, null);
  }

  /** Runs something with the current connection, which stays open until it has ended. */
  async hold<T>(run: (connection: AppServerConnection) => Promise<T>): Promise<T> {
    const held = this.#current;
    held.turns += 1;
    try {
      return await run(held.connection);
    } finally {
      held.turns -= 1;
      if (held.turns === 0 && this.#retiring.delete(held)) await held.connection.close();
    }
  }

  async close(): Promise<void> {
    const all = [this.#current, ...this.#retiring];
    this.#retiring.clear();
    await Promise.all(all.map(({ connection }) => connection.close()));
  }

  #open(): Held {
    const { clientVersion, probeIdleMs, countFault, post } = this.#options;
    const connection: AppServerConnection = new AppServerConnection({
      clientVersion,
      countFault,
      probe: { ...probe, idleMs: probeIdleMs },
      callbacks: {
        onStateChange: (change) => {
          if (this.#isCurrent(connection)) post({ type: "connection", ...change, proof: this.#proof });
        },
        onAnswering: (answers) => {
          // A lost wire is reported by `onStateChange`.
          if (!this.#isCurrent(connection) || connection.state !== "ready") return;
          if (answers) this.#postConnection("ready", null);
          else this.#postConnection("silent", "the app-server does not answer");
        },
        onAccountNotice: (method, params) => {
          if (!this.#isCurrent(connection)) return;
          if (method === "account/rateLimits/updated") this.#postRateLimits(readRateLimitsNotice(params));
          else post({ type: "account_changed" });
        },
        onChild: (pid) => {
          if (this.#isCurrent(connection)) post({ type: "child", pid });
        },
      },
    });
    return { connection, turns: 0 };
  }

  #postConnection(state: ConnectionState, reason: string | null): void {
    const { appServerGeneration, codexVersion } = this.current;
    const proof = this.#proof;
    this.#options.post({ type: "connection", state, appServerGeneration, proof, codexVersion, reason });
  }

  /** While the first connection is created there is no current one yet, and nothing to report. */
  #isCurrent(connection: AppServerConnection): boolean {
    return this.#current?.connection === connection;
  }

  /** Codex repeats them after every turn: post each change, and now and then that nothing changed. */
  #postRateLimits(rateLimits: RateLimits | null): void {
    if (rateLimits === null) return;
    const text = JSON.stringify(rateLimits);
    const atMs = performance.now();
    if (text === this.#lastRateLimits.text && atMs - this.#lastRateLimits.atMs < sameRateLimitsAgainMs)
      return;
    this.#lastRateLimits = { text, atMs };
    this.#options.post({ type: "rate_limits", rateLimits });
  }
}
