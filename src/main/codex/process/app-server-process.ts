import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as delay, setImmediate as nextLoop } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { ByteTail } from "../../../workers/contract/byte-tail.js";
import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import { limits } from "../../../workers/contract/limits.js";
import {
  createDeferred,
  joinSignals,
  settlesWithin,
  waitWithin,
  watchLimits,
} from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import { describeStateFault } from "../home/state-directory-fault.js";
import { readSocketRefusal } from "./codex-socket-directory.js";
import { DeathWatch } from "./death-watch.js";
import type { PidLedger } from "./pid-ledger.js";
import { signalProcess } from "./process-signals.js";
import { closingError, unavailable } from "./unavailable.js";

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The system's error code if the process could not be spawned; null otherwise. */
  readonly errorCode: string | null;
  /** For logs only. */
  readonly stderrTail: string;
}

interface AppServerProcessOptions {
  readonly spawn: SpawnSpec;
  readonly socketPath: string;
  readonly ledger: PidLedger;
  /** From spawn until the socket accepts a connection. */
  readonly startTimeoutMs: number;
}

const neverRan = { code: null, signal: null, errorCode: null } as const;

/** How long to keep reading stderr after the process exits: its own children may hold the pipe open. In milliseconds. */
const drainMs = 200;
/** How long to wait for a killed process to exit: a busy machine can be slow to end it. In milliseconds. */
const killWaitMs = 10_000;
/**
 * Codex prints this when it cannot use its configuration, then continues with its defaults, and so with another backend than
 * the user chose. Such a process must not get any work.
 */
const refusedConfiguration = /Invalid configuration; using defaults\. ?(.*)/;

/** One generation: a `codex app-server` process on a unix socket, from spawn to confirmed exit. */
export class AppServerProcess {
  readonly #options: AppServerProcessOptions;
  readonly #stderr = new ByteTail(limits.stderrTailBytes);
  readonly #exited = createDeferred<ProcessExit>();
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #watch: DeathWatch | null = null;
  #hasExited = false;
  #starting: Promise<void> | null = null;
  #stopped: Promise<ProcessExit> | null = null;

  constructor(options: AppServerProcessOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when the process has exited; never rejects. Stays pending if the process was never started. */
  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  get stderrTail(): string {
    return stripVTControlCharacters(this.#stderr.toString()).trim();
  }

  /** Resolves when the socket accepts connections. On any failure, ends the process and then rejects. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Stops the process by the stop ladder: SIGTERM lets its turns end, a second SIGTERM cuts them, then SIGKILL. */
  close(): Promise<ProcessExit> {
    this.#stopping.abort(closingError());
    this.#stopped ??= this.#stopBySteps();
    return this.#stopped;
  }

  /** Kills the process now. Also cuts a running `close` short. */
  destroy(): Promise<ProcessExit> {
    this.#stopping.abort(closingError());
    this.#kill();
    this.#stopped ??= this.#awaitExit();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const { socketPath, startTimeoutMs } = this.#options;
    const deadline = new AbortController();
    const died = new AbortController();
    const release = watchLimits({ timeoutMs: startTimeoutMs }, () => deadline.abort());
    void this.#exited.promise.then((exit) => died.abort(exit));
    const given = joinSignals([deadline.signal, died.signal, this.#stopping.signal]);
    try {
      await this.#spawn();
      await waitForSocket(socketPath, given.signal);
      // What Codex wrote before it listened is already in the pipe; one turn of the event loop delivers it.
      await nextLoop();
      const refusal = refusedConfiguration.exec(this.stderrTail);
      if (refusal !== null) throw unavailable("Codex refused its configuration.", refusal[1]);
    } catch (error) {
      const reason = await this.#describeStartFailure(error, deadline.signal, died.signal);
      // A failed cleanup must not hide why the start failed. The next start removes leftover files.
      await this.destroy().catch(() => undefined);
      throw reason;
    } finally {
      given.release();
      release();
    }
  }

  async #spawn(): Promise<void> {
    const { spawn: spec, socketPath, ledger } = this.#options;
    await rm(socketPath, { force: true });
    this.#stopping.signal.throwIfAborted();
    const child = spawn(spec.command, [...spec.args, "--listen", `unix://${socketPath}`], {
      cwd: spec.cwd,
      env: spec.env,
      stdio: ["ignore", "ignore", "pipe"],
      // In a session of its own, so that Ctrl-C in the terminal does not reach it and its turns can finish, and so that its
      // remaining children can be killed as a group.
      detached: true,
    });
    this.#child = child;
    if (child.pid !== undefined)
      this.#watch = DeathWatch.start({ pid: child.pid, codexHome: spec.env.CODEX_HOME ?? "" });
    child.stderr?.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) this.#settleExit({ code: null, signal: null }, error.code ?? "UNKNOWN");
    });
    child.once("exit", (code, signal) => {
      this.#hasExited = true;
      void this.#watch?.close();
      // Kill the rest of its process group now, before the system can reuse this pid.
      if (child.pid !== undefined) signalProcess(child.pid, "SIGKILL", { group: true });
      const drained = setTimeout(() => child.stderr?.destroy(), drainMs);
      child.once("close", () => {
        clearTimeout(drained);
        this.#settleExit({ code, signal }, null);
      });
    });
    if (child.pid !== undefined) await ledger.record(child.pid);
  }

  #settleExit(exit: Pick<ProcessExit, "code" | "signal">, errorCode: string | null): void {
    this.#hasExited = true;
    this.#exited.resolve({ ...exit, errorCode, stderrTail: this.stderrTail });
  }

  /** Codex lets its running turns finish on the first SIGTERM, and cuts them on the second. */
  async #stopBySteps(): Promise<ProcessExit> {
    const { stopStepMs } = this.#options.spawn;
    for (const signal of ["SIGTERM", "SIGTERM"] as const) {
      this.#signal(signal);
      if (this.#child === null || (await settlesWithin(this.#exited.promise, stopStepMs))) break;
    }
    this.#kill();
    return this.#awaitExit();
  }

  /** Waits for the signalled process to exit, then removes its socket and its ledger entry. */
  async #awaitExit(): Promise<ProcessExit> {
    const { socketPath, ledger } = this.#options;
    const pid = this.pid;
    if (this.#child === null) return { ...neverRan, stderrTail: "" };
    // A process stuck in the kernel survives even SIGKILL until the kernel lets it go. It then stays in the ledger, and the
    // next start ends it.
    const gone = await settlesWithin(this.#exited.promise, killWaitMs);
    await this.#watch?.close();
    if (pid !== null && gone) await ledger.forget(pid);
    await rm(socketPath, { force: true });
    return gone ? this.#exited.promise : { ...neverRan, stderrTail: this.stderrTail };
  }

  #kill(): void {
    if (this.#child?.pid !== undefined && !this.#hasExited)
      signalProcess(this.#child.pid, "SIGKILL", { group: true });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined && !this.#hasExited) signalProcess(this.#child.pid, signal);
  }

  async #describeStartFailure(
    error: unknown,
    deadline: AbortSignal,
    died: AbortSignal,
  ): Promise<CodexNativeApiError> {
    if (error instanceof CodexNativeApiError) return error;
    if (this.#stopping.signal.aborted) return closingError();
    if (died.aborted) {
      const refusal = await readSocketRefusal(this.stderrTail);
      return refusal ?? unavailable("The Codex app-server ended while it started.", died.reason);
    }
    if (deadline.aborted) return unavailable("The Codex app-server did not become ready in time.", error);
    const stateFault = describeStateFault(error);
    if (stateFault instanceof CodexNativeApiError) return stateFault;
    return unavailable("The Codex app-server could not be started.", error);
  }
}

/** Says how the process ended; safe to show to callers. */
export function describeExit({ code, signal }: ProcessExit): string {
  return signal === null
    ? `The Codex app-server ended with code ${code ?? "unknown"}.`
    : `The Codex app-server was ended by ${signal}.`;
}

const firstPauseMs = 2;
const maxPauseMs = 50;
const connectTimeoutMs = 1_000;

/** Polls until the socket accepts a connection. Rejects with the signal's reason when it aborts. */
async function waitForSocket(socketPath: string, signal: AbortSignal): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    signal.throwIfAborted();
    if (await acceptsConnection(socketPath, signal)) return;
    await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function acceptsConnection(socketPath: string, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ path: socketPath });
  // An error after the result is known must not crash the service.
  socket.on("error", () => {});
  const connected = once(socket, "connect").then(
    () => true,
    () => false,
  );
  return waitWithin(connected, { timeoutMs: connectTimeoutMs, signal }, () => false).finally(() =>
    socket.destroy(),
  );
}
