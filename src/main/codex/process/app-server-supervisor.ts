import { setTimeout as delay } from "node:timers/promises";
import type { AppServerEndpoint, SpawnSpec } from "../../../workers/contract/endpoint.js";
import { CodexNativeApiError } from "../../errors.js";
import { AppServerProcess, describeExit, type ProcessExit } from "./app-server-process.js";
import type { AppServerEvents, AppServerSource, DownAppServer, ReadyAppServer } from "./app-server-source.js";
import { SocketDirectoryRefused } from "./codex-socket-directory.js";
import { sharedHangTimes } from "./hang-watch.js";
import type { PidLedger } from "./pid-ledger.js";
import { type RestartDecision, RestartPolicy, type RestartPolicyOptions } from "./restart-policy.js";
import { closingError, unavailable } from "./unavailable.js";

/** Exactly one `onDown` or `onRetired` of the same generation follows each `onReady`. */
type SupervisorEvents = AppServerEvents<ReadyProcess>;

export interface ReadyProcess extends ReadyAppServer<Extract<AppServerEndpoint, { readonly kind: "unix" }>> {
  readonly pid: number;
}

type AppServerSupervisorState =
  /** Created, not started; also after Codex refused its socket directory, when retries cannot help. */
  | "idle"
  /** A generation is starting and no other is running. */
  | "starting"
  /** The current generation accepts connections. */
  | "ready"
  /** Waiting to start the next generation. */
  | "backing_off"
  | "closing"
  | "closed";

export interface AppServerSupervisorOptions extends SupervisorEvents {
  /**
   * Called before each generation: repairs the login link, re-reads the user's configuration, builds the command.
   * `previousFailure` is the stderr of the last generation if it never became ready; null otherwise.
   */
  readonly prepare: (generation: number, previousFailure: string | null) => Promise<SpawnSpec>;
  readonly socketPath: (generation: number) => string;
  readonly ledger: PidLedger;
  /** From spawn until the socket accepts a connection. */
  readonly startTimeoutMs: number;
  readonly restart: RestartPolicyOptions;
}

/** A process that accepts connections. */
interface Generation {
  readonly number: number;
  readonly process: AppServerProcess;
  readonly pid: number;
  readonly socketPath: string;
}

/** A generation that a newer one replaced. It finishes its turns until `release`, or until its time is up. */
interface Retiring {
  readonly process: AppServerProcess;
  readonly reason: string;
  readonly timer: NodeJS.Timeout;
}

interface Launch {
  readonly pauseMs: number;
  /** Runs before the pause, for example to end a hung process. */
  readonly prelude?: () => Promise<unknown>;
  /** If set, the current generation keeps running until the next is ready, then retires. */
  readonly retire?: { readonly reason: string; readonly timeoutMs: number };
}

/** Longest time that a retired generation may take to finish its turns. */
const retireAfterMs = 30 * 60_000;

/** Keeps one app-server process running for the `shared` transport: starts, watches, restarts and ends its generations. */
export class AppServerSupervisor implements AppServerSource {
  readonly hangTimes = sharedHangTimes;
  readonly degraded = [];
  readonly #options: AppServerSupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #lifetime = new AbortController();
  #state: AppServerSupervisorState = "idle";
  readonly #retiring = new Map<number, Retiring>();
  /** The last generation tried; 0 before the first. */
  #lastGeneration = 0;
  /** The process started last. It may not be ready yet, but `close` must end it too. */
  #newest: AppServerProcess | null = null;
  /** Whether the last launch spawned a process, and the stderr of that process if it did not become ready. */
  #lastLaunch: { readonly ran: boolean; readonly failure: string | null } = { ran: false, failure: null };
  #readyCount = 0;
  /** Consecutive launches that failed before they spawned a process. */
  #failedPreparations = 0;
  #current: Generation | null = null;
  #readyAtMs = 0;
  #started: Promise<void> | null = null;
  /** The running launch, its pause included. There is at most one; other requests for a launch join it. */
  #launching: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: AppServerSupervisorOptions) {
    this.#options = options;
    this.#policy = new RestartPolicy(options.restart);
  }

  /**
   * Starts the first generation and resolves once it accepts connections. Rejects with `native_runtime_unavailable` if that
   * generation fails; the supervisor then retries by its policy until `close`. Repeated calls join the first.
   */
  start(): Promise<void> {
    this.#started ??= this.#lifetime.signal.aborted
      ? Promise.reject(closingError())
      : this.#begin({ pauseMs: 0 });
    return this.#started;
  }

  /**
   * Kills the current generation, for example a hung one, and starts the next: at once while the restart budget lasts.
   * `isPlanned`: it has no fault.
   * Resolves when the next generation is ready. Rejects if it fails to start; retries continue. Joins a running launch.
   */
  async restart(reason: string, isPlanned = false): Promise<void> {
    this.#assertRunning();
    if (this.#launching !== null) return this.#launching;
    const decision = this.#policy.nextAtOnce();
    const current = this.#current;
    this.#current = null;
    const launched = this.#begin({
      pauseMs: decision.delayMs,
      prelude: async () => current?.process.destroy(),
    });
    if (current !== null) this.#reportGone(current, reason, decision, isPlanned);
    return launched;
  }

  /**
   * Starts the next generation beside the current one. Once ready, it becomes the current one, and the older one retires: it
   * runs until `release`, or until `retireTimeoutMs` is up. Rejects if the next generation fails to start; the older one then
   * stays. Joins a running launch.
   */
  async rotate(reason: string, retireTimeoutMs = retireAfterMs): Promise<void> {
    this.#assertRunning();
    return this.#launching ?? this.#begin({ pauseMs: 0, retire: { reason, timeoutMs: retireTimeoutMs } });
  }

  /** Ends a retiring generation whose turns are done. Does nothing for any other generation. */
  async release(generation: number): Promise<void> {
    const retiring = this.#retiring.get(generation);
    if (retiring === undefined) return;
    clearTimeout(retiring.timer);
    await retiring.process.close();
  }

  get state(): AppServerSupervisorState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#current !== null;
  }

  /** Describes the current generation, or else the last one tried. */
  health(): ReturnType<AppServerSource["health"]> {
    const current = this.#current;
    return {
      transport: "shared",
      generation: current?.number ?? this.#lastGeneration,
      pid: current?.pid ?? null,
      restarts: Math.max(0, this.#readyCount - 1),
      uptimeMs: current === null ? null : this.#options.restart.now() - this.#readyAtMs,
    };
  }

  /** Stops every generation by the stop ladder and resolves when all have exited. Nothing starts after it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end((process) => process.close());
    return this.#closing;
  }

  /** Kills every generation at once, also those that a running `close` is still stopping. Resolves like `close`. */
  async destroy(): Promise<void> {
    const ends = this.#endAll((process) => process.destroy());
    this.#closing ??= this.#end((process) => process.destroy());
    await Promise.all([ends, this.#closing]);
  }

  async #end(stop: (process: AppServerProcess) => Promise<ProcessExit>): Promise<void> {
    this.#enter("closing");
    this.#lifetime.abort(closingError());
    const launching = this.#launching;
    await this.#endAll(stop);
    // A running preparation still writes to the instance directory, which is released next, so wait for it. Its failure
    // already rejected the call that started it.
    await launching?.catch(() => undefined);
    this.#enter("closed");
  }

  /** Stops all processes, even if the cleanup after one of them fails, for example on a full disk. */
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
      // Closing cuts the pause short; `#launch` then throws.
      if (pauseMs > 0)
        await delay(pauseMs, undefined, { signal: this.#lifetime.signal }).catch(() => undefined);
      if (this.#current === null) this.#enter("starting");
      const next = await this.#launch();
      if (this.#lifetime.signal.aborted) await next.process.destroy();
      this.#lifetime.signal.throwIfAborted();
      this.#launching = null;
      this.#adopt(next, retire);
    } catch (error) {
      this.#launching = null;
      if (this.#lifetime.signal.aborted) throw closingError();
      // While a current generation runs, this was a rotation and needs no retry.
      if (this.#current === null) this.#retryLater(error);
      throw error;
    }
  }

  /** Starts one generation. Rejects if it does not become ready; its process has then been ended. */
  async #launch(): Promise<Generation> {
    const { prepare, ledger, startTimeoutMs } = this.#options;
    this.#lifetime.signal.throwIfAborted();
    this.#lastGeneration += 1;
    const number = this.#lastGeneration;
    const { failure } = this.#lastLaunch;
    this.#lastLaunch = { ran: false, failure };
    const spawn = await prepare(number, failure);
    this.#lifetime.signal.throwIfAborted();
    // Read after `prepare`, which may have recreated the socket directory elsewhere.
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
    if (this.#current !== null && retire !== undefined) this.#retire(this.#current, retire);
    this.#current = next;
    this.#readyAtMs = this.#options.restart.now();
    this.#readyCount += 1;
    this.#failedPreparations = 0;
    this.#enter("ready");
    void next.process.exited.then((exit) => this.#onExit(next, exit));
    const { number: generation, pid, socketPath } = next;
    const endpoint = { kind: "unix", socketPath } as const;
    this.#notify("app_server.on_ready_threw", ({ onReady }) => onReady({ generation, endpoint, pid }));
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
      this.#cleanUpAfter(gone);
      const { reason } = retired;
      this.#notify("app_server.on_retired_threw", ({ onRetired }) => onRetired({ generation, reason }));
      return;
    }
    if (this.#current !== gone) return;
    this.#current = null;
    this.#cleanUpAfter(gone);
    if (this.#lifetime.signal.aborted) {
      this.#reportGone(gone, "The service is closing.", null);
      return;
    }
    const joining = this.#launching !== null;
    const decision = joining ? { delayMs: 0, exhausted: false } : this.#policy.next();
    if (!joining) this.#beginUnasked(decision.delayMs);
    this.#reportGone(gone, describeExit(exit), decision);
  }

  /**
   * Removes the files that the process left on disk. `close` does that, and returns quickly for a process that has exited.
   */
  #cleanUpAfter({ process }: Generation): void {
    process.close().catch((cause: unknown) => this.#options.onFault("app_server.cleanup_failed", cause));
  }

  #retryLater(error: unknown): void {
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
    const isPlanned = false;
    this.#reportDown(
      { generation: this.#lastGeneration, reason, stderrTail, isPlanned, cause: error },
      decision,
    );
  }

  /** Starts a launch in the background. `onDown` reports its failure. */
  #beginUnasked(pauseMs: number): void {
    this.#begin({ pauseMs }).catch(() => undefined);
  }

  #reportGone(
    { number, process: { stderrTail } }: Generation,
    reason: string,
    decision: RestartDecision | null,
    isPlanned = false,
  ): void {
    this.#reportDown({ generation: number, reason, stderrTail, isPlanned, cause: null }, decision);
  }

  #reportDown(down: Omit<DownAppServer, "retryInMs" | "exhausted">, decision: RestartDecision | null): void {
    const { delayMs: retryInMs = null, exhausted = false } = decision ?? {};
    this.#notify("app_server.on_down_threw", ({ onDown }) => onDown({ ...down, retryInMs, exhausted }));
  }

  /** Calls one of the callbacks. An error that it throws goes to `onFault` and does not stop the supervision. */
  #notify(fault: string, call: (events: SupervisorEvents) => void): void {
    try {
      call(this.#options);
    } catch (cause) {
      this.#options.onFault(fault, cause);
    }
  }

  #enter(state: AppServerSupervisorState): void {
    // `closing` and `closed` are final.
    if (this.#state === "closed" || (this.#state === "closing" && state !== "closed")) return;
    this.#state = state;
  }

  #assertRunning(): void {
    if (this.#lifetime.signal.aborted) throw closingError();
    if (this.#state === "idle") throw new Error("The app-server supervisor was not started.");
  }
}
