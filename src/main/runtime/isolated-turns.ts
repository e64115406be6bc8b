import type { Logger } from "pino";
import { CodexNativeApiError } from "../errors.js";
import { Admission, type AdmissionOptions, type Permit } from "./admission/admission.js";
import { StartGate } from "./admission/start-gate.js";
import { GenerationUse } from "./generation-use.js";
import { isInfrastructureFault, isParked, mayRunAgain, observe } from "./leg-verdicts.js";
import { isAlive, type LoadedThread, NativeThreads } from "./native-threads.js";
import { ParkedTurns, type ParkedTurnsOptions } from "./parked-turns.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { WorkerSlots } from "./pool/worker-slots.js";
import type { ReadinessState } from "./readiness-state.js";
import { type Assignment, buildAssignment, settingsOf } from "./turn-assignment.js";
import { TurnScope } from "./turn-scope.js";
import { type LegResult, TurnSession } from "./turn-session.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  NativeRuntimeObserver,
  RequestTarget,
  ToolOutput,
  TurnErrorData,
  TurnProfile,
  TurnStarted,
} from "./types.js";

export interface IsolatedTurnsOptions {
  readonly admission: AdmissionOptions & { readonly startGate: number };
  readonly profile: TurnProfile;
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  /** Whether each worker has an app-server process of its own. */
  readonly processPerWorker: boolean;
  readonly parking: ParkedTurnsOptions;
  /** Idle native threads that stay loaded for the chains they belong to. */
  readonly maxLoadedThreads: number;
  readonly now: () => number;
}

export interface IsolatedTurnsContext {
  readonly slots: WorkerSlots;
  readonly readiness: ReadinessState;
  readonly logger: Logger;
  /** Throws `model_not_found`. */
  readonly chooseModel: (requested: string | undefined) => string;
  readonly describeTarget: (slot: WorkerSlot) => RequestTarget;
  /** When the plan's used-up window opens again, in milliseconds; null where that is not known. */
  readonly windowOpensInMs: () => number | null;
  readonly observer: NativeRuntimeObserver | null;
  /** The last turn on an app-server of this generation is over, parked ones included. */
  readonly onGenerationIdle: (appServerGeneration: number) => void;
  readonly onThreadStarted: (appServerGeneration: number) => void;
}

interface Place {
  readonly slot: WorkerSlot;
  readonly leaveGate: () => void;
}

/** A turn that showed nothing is run again when the plumbing under it broke; once more, should that break too. */
const maxAttempts = 3;
const defaultCaller = "default";

/** Takes turns in, finds each a worker, runs it, and runs it once more elsewhere when that can be done unseen. */
export class IsolatedTurns {
  readonly #options: IsolatedTurnsOptions;
  readonly #context: IsolatedTurnsContext;
  readonly #admission: Admission<Place>;
  readonly #gate: StartGate;
  readonly #parked: ParkedTurns<TurnSession>;
  readonly #threads: NativeThreads;
  readonly #use: GenerationUse;
  readonly #scope = new TurnScope();

  constructor(options: IsolatedTurnsOptions, context: IsolatedTurnsContext) {
    this.#options = options;
    this.#context = context;
    this.#use = new GenerationUse(context.onGenerationIdle);
    this.#parked = new ParkedTurns(options.parking, (session) => this.#use.leave(generationOf(session)));
    this.#threads = new NativeThreads(options.maxLoadedThreads);
    this.#gate = new StartGate(options.admission.startGate);
    this.#admission = new Admission<Place>(
      options.admission,
      () => this.#findPlace(),
      () => context.readiness.current,
      options.now,
    );
    context.readiness.onChange((phase) => {
      if (phase === "blocked") this.#admission.failWaiting(this.#notReady());
      this.#admission.pump();
    });
  }

  get depth(): number {
    return this.#admission.depth;
  }

  get running(): number {
    return this.#admission.running;
  }

  /** A worker became ready: what waits may start. */
  pump(): void {
    this.#admission.pump();
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    requireItems(request);
    return this.#scope.run(handlers, async (signal) => {
      for (let attempt = 1; ; attempt += 1) {
        const permit = await this.#acquire(request, signal);
        const { result, session } = await this.#attempt(permit, handlers, signal, () => {
          this.#checkAccount(request, permit);
          return this.#assignment(request, null);
        });
        if (attempt === maxAttempts || !mayRunAgain(result) || signal.aborted)
          return this.#conclude(result, session);
        this.#context.logger.warn(
          { event: "turn.run_again", requestId: request.requestId, worker: permit.place.slot.id },
          "a turn that had shown nothing is run again",
        );
      }
    });
  }

  /** Runs a turn on a loaded thread; null where that cannot be, or broke before it showed anything. */
  async runOnThread(
    source: { readonly threadId: string; readonly turnId: string },
    request: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    requireItems(request);
    const assignment = this.#assignment(request, source.threadId);
    const thread = this.#threads.take(source.threadId, source.turnId, settingsOf(assignment));
    if (thread === null) return null;
    return this.#scope.run(handlers, async (signal) => {
      const permit = await this.#acquire(request, signal, () => this.#findPlaceOn(thread)).catch(
        (error: unknown) => {
          if (!isAlive(thread)) return null;
          this.#threads.keep(thread);
          throw error;
        },
      );
      if (permit === null) return null;
      const { result, session } = await this.#attempt(permit, handlers, signal, () => {
        this.#checkAccount(request, permit);
        return assignment;
      });
      return mayRunAgain(result) ? null : this.#conclude(result, session);
    });
  }

  /** Goes on with a parked turn; null when there is none to go on with, or it died before it showed anything more. */
  async resume(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    const session = this.#parked.take(
      turnId,
      outputs.map((output) => output.callId),
    );
    if (session === null) return null;
    // It has its native thread and its worker already: there is nothing to wait for.
    const leave = this.#admission.enterNow();
    try {
      return await this.#scope.run(handlers, async (signal) => {
        const result = await this.#counted(session, 0, () =>
          session.resume(outputs, { ...handlers, signal }),
        );
        return mayRunAgain(result) ? null : this.#conclude(result, session);
      });
    } finally {
      this.#use.leave(generationOf(session));
      this.#leave(leave);
    }
  }

  releaseThread(threadId: string): void {
    this.#threads.release(threadId);
  }

  /** A worker lost its connection: what was loaded there is gone. */
  forgetDeadThreads(): void {
    this.#threads.forgetDead();
  }

  get loadedThreads(): number {
    return this.#threads.size;
  }

  findParked(callIds: readonly string[]): string | null {
    return this.#parked.find(callIds);
  }

  abandon(turnId: string): void {
    this.#parked.abandon(turnId);
  }

  /** Their login is gone: nobody may answer their calls. */
  abandonParked(): void {
    this.#parked.abandonAll();
  }

  get parkedCount(): number {
    return this.#parked.size;
  }

  /** No new turns; those that run have the given time, then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    this.#admission.close(shuttingDown());
    this.#parked.abandonAll();
    await this.#scope.close(graceMs, () => this.#admission.running === 0);
  }

  /** Ends the grace of a `close` under way. */
  hurry(): void {
    this.#scope.hurry();
  }

  async #acquire(
    request: IsolatedTurnRequest,
    signal: AbortSignal,
    findPlace?: () => Place | null,
  ): Promise<Permit<Place>> {
    const { readiness } = this.#context;
    if (readiness.phase === "blocked" || readiness.phase === "stopped") throw this.#notReady();
    try {
      return await this.#admission.acquire({
        caller: request.caller ?? defaultCaller,
        signal,
        ...(findPlace !== undefined && { findPlace }),
      });
    } catch (error) {
      throw this.#scope.closed ? shuttingDown() : error;
    }
  }

  /** The login may have changed since the caller looked: work of one account never runs on another. */
  #checkAccount(request: IsolatedTurnRequest, permit: Permit<Place>): void {
    const { accountId } = this.#context.describeTarget(permit.place.slot);
    if (request.accountId === undefined || request.accountId === accountId) return;
    throw new CodexNativeApiError(
      "continuation_account_mismatch",
      "The Codex login changed: what this continues belongs to another account. Start a new chain.",
      { param: "previous_response_id" },
    );
  }

  /** Whatever `assign` or the turn throws, the place is given back. */
  async #attempt(
    permit: Permit<Place>,
    handlers: IsolatedTurnHandlers,
    signal: AbortSignal,
    assign: () => Assignment,
  ): Promise<{ readonly result: LegResult; readonly session: TurnSession }> {
    const { slot, leaveGate } = permit.place;
    try {
      const assignment = assign();
      const session = new TurnSession(this.#context.slots.pool, {
        assignment,
        slot,
        target: this.#context.describeTarget(slot),
        timeoutMs: this.#options.timeoutMs,
        onLeftGate: () => {
          leaveGate();
          this.#admission.pump();
        },
      });
      const result = await this.#counted(session, permit.waitedMs, () =>
        session.run({ ...handlers, signal }),
      );
      if (result.started !== null && assignment.continueThreadId === null) {
        this.#context.onThreadStarted(generationOf(session));
      }
      if (isInfrastructureFault(result)) this.#doubtNeighbours(slot);
      return { result, session };
    } finally {
      leaveGate();
      this.#leave(permit.release);
    }
  }

  /** Whether no turn runs or is parked on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean {
    return this.#use.isIdle(appServerGeneration);
  }

  async #counted(session: TurnSession, waitedMs: number, run: () => Promise<LegResult>): Promise<LegResult> {
    const generation = generationOf(session);
    this.#use.enter(generation);
    try {
      const result = await run();
      // Until it is taken out again, or given up.
      if (isParked(result)) this.#use.enter(generation);
      this.#context.observer?.onTurnEnded(observe(result, waitedMs));
      return result;
    } finally {
      this.#use.leave(generation);
    }
  }

  /** What broke one turn may have broken all workers of the process, and not all of them have noticed yet. */
  #doubtNeighbours(broken: WorkerSlot): void {
    const key = this.#processKey(broken);
    for (const slot of this.#context.slots.all()) {
      if (slot === broken || this.#processKey(slot) === key) slot.doubt();
    }
  }

  #leave(release: () => void): void {
    release();
    if (this.#admission.running === 0) this.#scope.noteIdle();
  }

  #assignment(request: IsolatedTurnRequest, continueThreadId: string | null): Assignment {
    const { profile, idleTimeoutMs } = this.#options;
    const model = this.#context.chooseModel(request.model);
    return buildAssignment(request, { profile, model, idleTimeoutMs, continueThreadId });
  }

  #findPlace(): Place | null {
    const { slots, readiness } = this.#context;
    if (readiness.phase !== "ready") return null;
    const slot = slots.leastBusy((candidate) => this.#gate.hasRoom(this.#processKey(candidate)));
    return slot === null ? null : { slot, leaveGate: this.#gate.enter(this.#processKey(slot)) };
  }

  #findPlaceOn(thread: LoadedThread): Place | null {
    const { slot } = thread;
    if (!isAlive(thread)) {
      throw new CodexNativeApiError(
        "native_runtime_unavailable",
        "The native thread is not loaded any more.",
      );
    }
    const key = this.#processKey(slot);
    return this.#gate.hasRoom(key) ? { slot, leaveGate: this.#gate.enter(key) } : null;
  }

  #processKey(slot: WorkerSlot): string {
    return this.#options.processPerWorker ? slot.id : String(slot.appServerGeneration);
  }

  #conclude(result: LegResult, session: TurnSession): IsolatedTurnResult {
    const { outcome, started, usage, handlerError } = result;
    if (handlerError !== undefined) throw handlerError;
    if (outcome.status === "failed")
      throw CodexNativeApiError.fromTurnError(this.#withRetryTime(outcome.error));
    if (outcome.status === "cancelled" && this.#scope.closed) throw shuttingDown();
    if (started === null) {
      throw new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
    }
    if (outcome.status === "completed" && session.assignment.keepThread) this.#keepThread(started, session);
    if (outcome.status === "parked") this.#parked.park(started.turnId, session, outcome.callIds);
    return { ...started, outcome, usage };
  }

  /** Codex says that the plan is used up without saying until when; the plan's windows tell. */
  #withRetryTime(error: TurnErrorData): TurnErrorData {
    if (error.code !== "usage_limit_reached" || error.retryAfterMs !== undefined) return error;
    const retryAfterMs = this.#context.windowOpensInMs();
    return retryAfterMs === null ? error : { ...error, retryAfterMs };
  }

  #keepThread(started: TurnStarted, { slot, assignment }: TurnSession): void {
    this.#threads.keep({
      threadId: started.threadId,
      lastTurnId: started.turnId,
      slot,
      appServerGeneration: started.target.appServerGeneration,
      settings: settingsOf(assignment),
    });
  }

  #notReady(): CodexNativeApiError {
    const readiness = this.#context.readiness.current;
    return readiness.ready ? shuttingDown() : CodexNativeApiError.fromTurnError(readiness.error);
  }
}

function generationOf(session: TurnSession): number {
  return session.target.appServerGeneration;
}

function requireItems(request: IsolatedTurnRequest): void {
  if (request.items.length > 0) return;
  throw new CodexNativeApiError("invalid_request", "There is nothing to answer: the input is empty.", {
    param: "input",
  });
}

function shuttingDown(): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.", {
    retryAfterMs: 1000,
  });
}
