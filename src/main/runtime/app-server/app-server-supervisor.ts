import { setTimeout as delay } from "node:timers/promises";
import { CodexNativeApiError } from "../../errors.js";
import { type AppServerProcess, describeExit, type ProcessExit } from "./app-server-process.js";
import { SocketDirectoryRefused } from "./codex-socket-directory.js";
import { type Generation, GenerationLauncher, type LaunchOptions } from "./generation-launcher.js";
import { GuardedEvents } from "./guarded-events.js";
import { ResidentMemory } from "./resident-memory.js";
import { type RestartDecision, RestartPolicy, type RestartPolicyOptions } from "./restart-policy.js";
import { RetiringGenerations } from "./retiring-generations.js";
import type {
  AppServerSupervisorEvents,
  AppServerSupervisorHealth,
  AppServerSupervisorState,
  DownAppServer,
} from "./supervisor-events.js";
import { closingError } from "./unavailable.js";

export type { DownAppServer, ReadyAppServer, RetiredAppServer } from "./supervisor-events.js";

export interface AppServerSupervisorOptions extends LaunchOptions, AppServerSupervisorEvents {
  readonly restart: RestartPolicyOptions;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
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
  readonly #events: GuardedEvents;
  readonly #policy: RestartPolicy;
  readonly #memory: ResidentMemory;
  readonly #retiring: RetiringGenerations;
  readonly #over = new AbortController();
  readonly #launcher: GenerationLauncher;
  #state: AppServerSupervisorState = "idle";
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
    this.#events = new GuardedEvents(options);
    this.#launcher = new GenerationLauncher(options, this.#over.signal);
    this.#policy = new RestartPolicy(options.restart);
    this.#memory = new ResidentMemory(options.restart.now);
    this.#retiring = new RetiringGenerations(this.#events.onFault);
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
  release(generation: number): Promise<void> {
    return this.#retiring.release(generation);
  }

  /** From what is known; never waits. */
  health(): AppServerSupervisorHealth {
    const current = this.#current;
    return {
      state: this.#state,
      generation: current?.number ?? this.#launcher.lastGeneration,
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
      if (outcome.status === "rejected") this.#events.onFault("app_server.cleanup_failed", outcome.reason);
    }
  }

  #processes(): AppServerProcess[] {
    const all = [this.#current?.process, this.#launcher.newborn, ...this.#retiring.processes];
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
      const next = await this.#launcher.launch();
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

  #adopt(next: Generation, retire: Launch["retire"]): void {
    const { wallClock, restart } = this.#options;
    const older = this.#current;
    if (older !== null && retire !== undefined) {
      const { number: generation, process } = older;
      this.#retiring.add({ generation, process, reason: retire.reason }, retire.timeoutMs);
    }
    this.#current = next;
    this.#readyAtMs = restart.now();
    this.#readyCount += 1;
    this.#failedPreparations = 0;
    this.#enter("ready");
    void next.process.exited.then((exit) => this.#onExit(next, exit));
    this.#events.onReady({
      generation: next.number,
      endpoint: { kind: "unix", socketPath: next.socketPath },
      pid: next.pid,
      startedAt: wallClock(),
    });
  }

  #onExit(gone: Generation, exit: ProcessExit): void {
    const retired = this.#retiring.remove(gone.number);
    if (retired !== null) {
      this.#clearAway(gone);
      this.#events.onRetired({ generation: gone.number, reason: retired.reason });
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
    process.close().catch((cause: unknown) => this.#events.onFault("app_server.cleanup_failed", cause));
  }

  #retryAfter(error: unknown): void {
    if (error instanceof SocketDirectoryRefused) {
      this.#enter("idle");
      this.#reportFailure(error, null);
      return;
    }
    this.#failedPreparations = this.#launcher.ran ? 0 : this.#failedPreparations + 1;
    const decision = this.#launcher.ran
      ? this.#policy.next()
      : this.#policy.nextTry(this.#failedPreparations);
    this.#beginUnasked(decision.delayMs);
    this.#reportFailure(error, decision);
  }

  #reportFailure(error: unknown, decision: RestartDecision | null): void {
    const reason =
      error instanceof CodexNativeApiError ? error.message : "The Codex app-server could not be started.";
    const { lastGeneration: generation, previousFailure } = this.#launcher;
    this.#reportDown({ generation, reason, stderrTail: previousFailure ?? "", cause: error }, decision);
  }

  /** A launch that nobody awaits: its failure is reported by `onDown`. */
  #beginUnasked(pauseMs: number): void {
    this.#begin({ pauseMs }).catch(() => undefined);
  }

  #reportGone({ number, process }: Generation, reason: string, decision: RestartDecision | null): void {
    this.#reportDown({ generation: number, reason, stderrTail: process.stderrTail, cause: null }, decision);
  }

  #reportDown(down: Omit<DownAppServer, "retryInMs" | "exhausted">, decision: RestartDecision | null): void {
    this.#events.onDown({
      ...down,
      retryInMs: decision?.delayMs ?? null,
      exhausted: decision?.exhausted ?? false,
    });
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
