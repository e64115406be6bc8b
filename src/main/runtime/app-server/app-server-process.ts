import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as delay, setImmediate as nextLoop } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { ByteTail } from "../../../workers/contract/byte-tail.js";
import type { SpawnSpec } from "../../../workers/contract/endpoint.js";
import { limits } from "../../../workers/contract/limits.js";
import { createDeferred, settlesWithin } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import { readSocketRefusal } from "./codex-socket-directory.js";
import { DeathWatch } from "./death-watch.js";
import type { PidLedger } from "./pid-ledger.js";
import { signalProcess } from "./process-signals.js";
import { describeStateFault } from "./state-directory-fault.js";
import { closingError, unavailable } from "./unavailable.js";

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The system's error code when it could not be started at all. */
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

/** Pipes may be held by what the process started; its last words are not waited for longer than this. */
const drainMs = 200;
/** A busy machine may take its time to take a killed process down. */
const killWaitMs = 10_000;
/**
 * What Codex says when it cannot use its configuration, before it goes on with defaults: another backend than the user
 * chose. Such a process must not get any work.
 */
const refusedConfiguration = /Invalid configuration; using defaults\. ?(.*)/;

/** One generation: a `codex app-server` on a unix socket, from spawn to proven gone. */
export class AppServerProcess {
  readonly #options: AppServerProcessOptions;
  readonly #stderr = new ByteTail(limits.stderrTailBytes);
  readonly #exited = createDeferred<ProcessExit>();
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #watch: DeathWatch | null = null;
  #gone = false;
  #starting: Promise<void> | null = null;
  #stopped: Promise<ProcessExit> | null = null;

  constructor(options: AppServerProcessOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Settles once, when the process is gone; never rejects. Does not settle for a process that was never started. */
  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  get stderrTail(): string {
    return stripVTControlCharacters(this.#stderr.toString()).trim();
  }

  /** Resolves when the socket accepts connections. On any failure the process is ended before this rejects. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Lets turns end for one step, then ends the process, if need be by force. */
  close(): Promise<ProcessExit> {
    this.#stopping.abort(closingError());
    this.#stopped ??= this.#descend();
    return this.#stopped;
  }

  /** Ends the process now. Also shortens a `close` under way. */
  destroy(): Promise<ProcessExit> {
    this.#stopping.abort(closingError());
    this.#kill();
    this.#stopped ??= this.#awaitEnd();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const { socketPath, startTimeoutMs } = this.#options;
    const deadline = new AbortController();
    const died = new AbortController();
    const timer = setTimeout(() => deadline.abort(), startTimeoutMs);
    void this.#exited.promise.then((exit) => died.abort(exit));
    try {
      await this.#spawn();
      await waitForSocket(socketPath, AbortSignal.any([deadline.signal, died.signal, this.#stopping.signal]));
      // What it wrote before it listened is in the pipe; one turn of the loop brings it here.
      await nextLoop();
      const refusal = refusedConfiguration.exec(this.stderrTail);
      if (refusal !== null) throw unavailable("Codex refused its configuration.", refusal[1]);
    } catch (error) {
      const reason = await this.#describeStartFailure(error, deadline.signal, died.signal);
      // What it left on a disk that cannot be written is for the next start to clear away; why it did not start says more.
      await this.destroy().catch(() => undefined);
      throw reason;
    } finally {
      clearTimeout(timer);
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
      // A session of its own: Ctrl-C in the terminal reaches us and not it, so its turns can end; and its leftovers can
      // be killed as a group.
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
      this.#gone = true;
      void this.#watch?.close();
      // Before anybody can be given this pid again: what is left of its group.
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
    this.#gone = true;
    this.#exited.resolve({ ...exit, errorCode, stderrTail: this.stderrTail });
  }

  /** Codex ends its running turns at leisure on a first SIGTERM, and cuts them on a second. */
  async #descend(): Promise<ProcessExit> {
    const { stopStepMs } = this.#options.spawn;
    for (const signal of ["SIGTERM", "SIGTERM"] as const) {
      this.#signal(signal);
      if (this.#child === null || (await settlesWithin(this.#exited.promise, stopStepMs))) break;
    }
    this.#kill();
    return this.#awaitEnd();
  }

  /** Waits for what a signal was sent to, and clears away what it left on disk. */
  async #awaitEnd(): Promise<ProcessExit> {
    const { socketPath, ledger } = this.#options;
    const pid = this.pid;
    if (this.#child === null) return { ...neverRan, stderrTail: "" };
    // SIGKILL cannot be refused, but a process stuck in the kernel goes only when the kernel lets it. Then it stays in the
    // ledger, for the next start to end.
    const gone = await settlesWithin(this.#exited.promise, killWaitMs);
    await this.#watch?.close();
    if (pid !== null && gone) await ledger.forget(pid);
    await rm(socketPath, { force: true });
    return gone ? this.#exited.promise : { ...neverRan, stderrTail: this.stderrTail };
  }

  #kill(): void {
    if (this.#child?.pid !== undefined && !this.#gone)
      signalProcess(this.#child.pid, "SIGKILL", { group: true });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined && !this.#gone) signalProcess(this.#child.pid, signal);
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
    if (deadline.aborted) return unavailable("The Codex app-server did not get ready in time.", error);
    const stateFault = describeStateFault(error);
    if (stateFault instanceof CodexNativeApiError) return stateFault;
    return unavailable("The Codex app-server could not be started.", error);
  }
}

/** Safe to show. */
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
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const settle = (accepted: boolean): void => {
      signal.removeEventListener("abort", refuse);
      socket.destroy();
      resolve(accepted);
    };
    const refuse = (): void => settle(false);
    signal.addEventListener("abort", refuse, { once: true });
    socket.setTimeout(connectTimeoutMs, refuse);
    socket.once("connect", () => settle(true));
    socket.once("error", refuse);
  });
}
