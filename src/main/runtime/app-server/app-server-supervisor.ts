import { setTimeout as delay } from "node:timers/promises";
import type { AppServerEndpoint, SpawnSpec } from "../../../workers/contract/endpoint.js";
import { CodexNativeApiError } from "../../errors.js";
import { AppServerProcess, describeExit, type ProcessExit } from "./app-server-process.js";
import { SocketDirectoryRefused } from "./codex-socket-directory.js";
import type { PidLedger } from "./pid-ledger.js";
import { ResidentMemory } from "./resident-memory.js";
import { type RestartDecision, RestartPolicy, type RestartPolicyOptions } from "./restart-policy.js";
import { closingError, unavailable } from "./unavailable.js";

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
interface AppServerSupervisorEvents {
  /** It accepts connections and takes all new work from now on; an older generation, if any, is retiring. */
  readonly onReady: (server: ReadyAppServer) => void;
  /** The current generation is gone, or a new one could not be started. */
  readonly onDown: (server: DownAppServer) => void;
  /** A generation that a `rotate` replaced is gone. */
  readonly onRetired: (server: RetiredAppServer) => void;
  /** Another of these callbacks threw, or cleaning up failed: for the log. Must not throw. */
  readonly onFault: (fault: string, cause: unknown) => void;
}

type AppServerSupervisorState =
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

interface AppServerSupervisorHealth {
  readonly state: AppServerSupervisorState;
  /** The current generation, or the last that was tried. */
  readonly generation: number;
  readonly pid: number | null;
  /** Sampled in the background at most once a second; null before the first sample and where it cannot be had. */
  readonly rssBytes: number | null;
  readonly restarts: number;
  readonly uptimeMs: number | null;
}

export interface AppServerSupervisorOptions extends AppServerSupervisorEvents {
  /**
   * Called before each generation: mends the login link, re-reads the user's configuration, builds the command.
   * `previousFailure` is what the last generation said on stderr if it never got ready; null otherwise.
   */
  readonly prepare: (generation: number, previousFailure: string | null) => Promise<SpawnSpec>;
  readonly socketPath: (generation: number) => string;
  readonly ledger: PidLedger;
  /** From spawn until the socket accepts a connection. */
  readonly startTimeoutMs: number;
  readonly restart: RestartPolicyOptions;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** A process that accepts connections. */
interface Generation {
  readonly number: number;
  readonly process: AppServerProcess;
  readonly pid: number;
  readonly socketPath: string;
}

/** One that a newer one replaced: it ends its own work until it is released, or for the time that it was given. */
interface Retiring {
  readonly process: AppServerProcess;
  readonly reason: string;
  readonly timer: NodeJS.Timeout;
}

interface Launch {
  readonly pauseMs: number;
  /** Done before the pause, such as ending a hung process. */
  readonly prelude?: () => Promise<unknown>;
  /** Leaves the current generation running beside the next one. */
  readonly retire?: { readonly reason: string; readonly timeoutMs: number };
}

/** Keeps one app-server process running for the `shared` mode: starts, watches, restarts and ends its generations. */
export class AppServerSupervisor {
  readonly #options: AppServerSupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #memory: ResidentMemory;
  readonly #over = new AbortController();
  #state: AppServerSupervisorState = "idle";
  readonly #retiring = new Map<number, Retiring>();
  /** The last generation tried; 0 before the first. */
  #lastGeneration = 0;
  /** The process brought up last, whether it is ready or not: whoever closes must end it too. */
  #newest: AppServerProcess | null = null;
  /** Whether the last launch got as far as a process, and what that said if it did not get ready. */
  #lastLaunch: { readonly ran: boolean; readonly failure: string | null } = { ran: false, failure: null };
  #readyCount = 0;
  /** Launches in a row that got as far as no process. */
  #failedPreparations = 0;
  #current: Generation | null = null;
  #readyAtMs = 0;
  #started: Promise<void> | null = null;
  /** The launch under way, its pause included. There is never a second: whoever wants one joins it. */
  #launching: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: AppServerSupervisorOptions) {
    this.#options = options;
    this.#policy = new RestartPolicy(options.restart);
    this.#memory = new ResidentMemory(options.restart.now);
  }

  /**
   * Starts the first generation and resolves once it accepts connections. Rejects with `native_runtime_unavailable` if that
   * one fails; the supervisor then goes on trying by its policy, until `close`. Repeated calls join the first.
   */
  start(): Promise<void> {
    this.#started ??= this.#over.signal.aborted
      ? Promise.reject(closingError())
      : this.#begin({ pauseMs: 0 });
    return this.#started;
  }

  /**
   * Kills the current generation and starts the next: for a process that hangs. At once while the restart budget lasts.
   * Resolves when the next one is ready; rejects if it fails to start, and goes on trying. Joins a launch under way.
   */
  async restart(reason: string): Promise<void> {
    this.#assertRunning();
    if (this.#launching !== null) return this.#launching;
    const decision = this.#policy.nextAtOnce();
    const current = this.#current;
    this.#current = null;
    const launched = this.#begin({
      pauseMs: decision.delayMs,
      prelude: async () => current?.process.destroy(),
    });
    if (current !== null) this.#reportGone(current, reason, decision);
    return launched;
  }

  /**
   * Starts the next generation beside the current one. When it is ready it becomes the current one, and the older retires:
   * it goes on until `release`, or for the time given. Rejects if the next one fails to start; the older then stays. Joins
   * a launch under way.
   */
  async rotate(reason: string, retireTimeoutMs: number): Promise<void> {
    this.#assertRunning();
    return this.#launching ?? this.#begin({ pauseMs: 0, retire: { reason, timeoutMs: retireTimeoutMs } });
  }

  /** The work on a retiring generation is done: ends it. Does nothing for any other. */
  async release(generation: number): Promise<void> {
    const retiring = this.#retiring.get(generation);
    if (retiring === undefined) return;
    clearTimeout(retiring.timer);
    await retiring.process.close();
  }

  /** From what is known; never waits. */
  health(): AppServerSupervisorHealth {
    const current = this.#current;
    return {
      state: this.#state,
      generation: current?.number ?? this.#lastGeneration,
      pid: current?.pid ?? null,
      rssBytes: this.#memory.read(current?.pid ?? null),
      restarts: Math.max(0, this.#readyCount - 1),
      uptimeMs: current === null ? null : this.#options.restart.now() - this.#readyAtMs,
    };
  }

  /** Stops every generation by the ladder; resolves when all are gone. Nothing starts after it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end((process) => process.close());
    return this.#closing;
  }

  /** The same with SIGKILL, and without waiting for a preparation under way. Cuts a `close` under way short. */
  async destroy(): Promise<void> {
    const ends = this.#endAll((process) => process.destroy());
    this.#closing ??= this.#end((process) => process.destroy());
    await Promise.all([ends, this.#closing]);
  }

  async #end(stop: (process: AppServerProcess) => Promise<ProcessExit>): Promise<void> {
    this.#enter("closing");
    this.#over.abort(closingError());
    const launching = this.#launching;
    await this.#endAll(stop);
    // A preparation still writes to the instance directory, which the caller gives up next. What became of it was
    // reported to whoever asked for it.
    await launching?.catch(() => undefined);
    this.#enter("closed");
  }

  /** What a process leaves on a disk that cannot be written is no reason to leave the others running. */
  async #endAll(stop: (process: AppServerProcess) => Promise<ProcessExit>): Promise<void> {
    for (const outcome of await Promise.allSettled(this.#processes().map(stop))) {
      if (outcome.status === "rejected") this.#options.onFault("app_server.cleanup_failed", outcome.reason);
    }
  }

  #processes(): AppServerProcess[] {
    const retiring = [...this.#retiring.values()].map(({ process }) => process);
    const all = [this.#current?.process, this.#newest, ...retiring];
    return all.filter((process) => process !== undefined && process !== null);
  }

  #begin(launch: Launch): Promise<void> {
    const attempt = this.#run(launch);
    this.#launching = attempt;
    return attempt;
  }

  async #run({ pauseMs, prelude, retire }: Launch): Promise<void> {
    try {
      if (this.#current === null) this.#enter(pauseMs > 0 ? "backing_off" : "starting");
      await prelude?.();
      // The pause ends early by closing, and then so does this launch.
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
      if (this.#current === null) this.#enter("starting");
      const next = await this.#launch();
      if (this.#over.signal.aborted) await next.process.destroy();
      this.#over.signal.throwIfAborted();
      this.#launching = null;
      this.#adopt(next, retire);
    } catch (error) {
      this.#launching = null;
      if (this.#over.signal.aborted) throw closingError();
      // With a current generation this was a rotation, and nothing is lost.
      if (this.#current === null) this.#retryAfter(error);
      throw error;
    }
  }

  /** Brings one generation up. Rejects with why it did not get ready; then there is no process left of it. */
  async #launch(): Promise<Generation> {
    const { prepare, ledger, startTimeoutMs } = this.#options;
    this.#over.signal.throwIfAborted();
    this.#lastGeneration += 1;
    const number = this.#lastGeneration;
    const { failure } = this.#lastLaunch;
    this.#lastLaunch = { ran: false, failure };
    const spawn = await prepare(number, failure);
    this.#over.signal.throwIfAborted();
    // The preparation may have made the sockets' directory anew.
    const socketPath = this.#options.socketPath(number);
    const process = new AppServerProcess({ spawn, socketPath, ledger, startTimeoutMs });
    this.#newest = process;
    this.#lastLaunch = { ran: true, failure };
    try {
      await process.start();
    } catch (error) {
      this.#lastLaunch = { ran: true, failure: process.stderrTail };
      throw error;
    }
    this.#lastLaunch = { ran: true, failure: null };
    if (process.pid === null) throw unavailable("The Codex app-server has no pid.");
    return { number, process, pid: process.pid, socketPath };
  }

  #adopt(next: Generation, retire: Launch["retire"]): void {
    const { wallClock, restart } = this.#options;
    if (this.#current !== null && retire !== undefined) this.#retire(this.#current, retire);
    this.#current = next;
    this.#readyAtMs = restart.now();
    this.#readyCount += 1;
    this.#failedPreparations = 0;
    this.#enter("ready");
    void next.process.exited.then((exit) => this.#onExit(next, exit));
    const { number: generation, pid, socketPath } = next;
    const endpoint = { kind: "unix", socketPath } as const;
    this.#tell("app_server.on_ready_threw", ({ onReady }) =>
      onReady({ generation, endpoint, pid, startedAt: wallClock() }),
    );
  }

  #retire({ number, process }: Generation, { reason, timeoutMs }: NonNullable<Launch["retire"]>): void {
    const timer = setTimeout(() => {
      this.release(number).catch((cause: unknown) => {
        this.#options.onFault("app_server.retire_failed", cause);
      });
    }, timeoutMs);
    this.#retiring.set(number, { process, reason, timer });
  }

  #onExit(gone: Generation, exit: ProcessExit): void {
    const { number: generation } = gone;
    const retired = this.#retiring.get(generation);
    if (retired !== undefined) {
      clearTimeout(retired.timer);
      this.#retiring.delete(generation);
      this.#clearAway(gone);
      const { reason } = retired;
      this.#tell("app_server.on_retired_threw", ({ onRetired }) => onRetired({ generation, reason }));
      return;
    }
    if (this.#current !== gone) return;
    this.#current = null;
    this.#clearAway(gone);
    if (this.#over.signal.aborted) {
      this.#reportGone(gone, "The service is closing.", null);
      return;
    }
    const joining = this.#launching !== null;
    const decision = joining ? { delayMs: 0, exhausted: false } : this.#policy.next();
    if (!joining) this.#beginUnasked(decision.delayMs);
    this.#reportGone(gone, describeExit(exit), decision);
  }

  /** What the exit left on disk is cleared away by `close`, which is quick for a process that is gone. */
  #clearAway({ process }: Generation): void {
    process.close().catch((cause: unknown) => this.#options.onFault("app_server.cleanup_failed", cause));
  }

  #retryAfter(error: unknown): void {
    if (error instanceof SocketDirectoryRefused) {
      this.#enter("idle");
      this.#reportFailure(error, null);
      return;
    }
    const { ran } = this.#lastLaunch;
    this.#failedPreparations = ran ? 0 : this.#failedPreparations + 1;
    const decision = ran ? this.#policy.next() : this.#policy.nextTry(this.#failedPreparations);
    this.#beginUnasked(decision.delayMs);
    this.#reportFailure(error, decision);
  }

  #reportFailure(error: unknown, decision: RestartDecision | null): void {
    const reason =
      error instanceof CodexNativeApiError ? error.message : "The Codex app-server could not be started.";
    const stderrTail = this.#lastLaunch.failure ?? "";
    this.#reportDown({ generation: this.#lastGeneration, reason, stderrTail, cause: error }, decision);
  }

  /** A launch that nobody awaits: its failure is reported by `onDown`. */
  #beginUnasked(pauseMs: number): void {
    this.#begin({ pauseMs }).catch(() => undefined);
  }

  #reportGone({ number, process }: Generation, reason: string, decision: RestartDecision | null): void {
    this.#reportDown({ generation: number, reason, stderrTail: process.stderrTail, cause: null }, decision);
  }

  #reportDown(down: Omit<DownAppServer, "retryInMs" | "exhausted">, decision: RestartDecision | null): void {
    const { delayMs: retryInMs = null, exhausted = false } = decision ?? {};
    this.#tell("app_server.on_down_threw", ({ onDown }) => onDown({ ...down, retryInMs, exhausted }));
  }

  /** A callback's fault is its owner's: it is reported, and does not stop the supervision. */
  #tell(fault: string, call: (events: AppServerSupervisorEvents) => void): void {
    try {
      call(this.#options);
    } catch (cause) {
      this.#options.onFault(fault, cause);
    }
  }

  #enter(state: AppServerSupervisorState): void {
    // Nothing leads back from closing.
    if (this.#state === "closed" || (this.#state === "closing" && state !== "closed")) return;
    this.#state = state;
  }

  #assertRunning(): void {
    if (this.#over.signal.aborted) throw closingError();
    if (this.#state === "idle") throw new Error("The app-server supervisor was not started.");
  }
}
