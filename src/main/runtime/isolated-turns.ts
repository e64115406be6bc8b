import { findNotJson } from "../../workers/contract/json.js";
import type { NativeThreadChoice } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import { Admission, type Permit } from "./admission/admission.js";
import { StartGate } from "./admission/start-gate.js";
import { GenerationUse } from "./generation-use.js";
import type { IsolatedTurnsContext, IsolatedTurnsOptions, TurnBounds } from "./isolated-turns-context.js";
import { isInfrastructureFault, isParked, mayRunAgain, observe } from "./leg-verdicts.js";
import { isAlive, NativeThreads } from "./native-threads.js";
import { ParkedTurns } from "./parked-turns.js";
import { SpareThreads } from "./spare-threads.js";
import {
  type Assignment,
  buildAssignment,
  fieldsOf,
  orRefuse,
  readRequest,
  readToolOutputs,
  settingsOf,
  type WantedTurn,
} from "./turn-assignment.js";
import { type Place, TurnPlaces } from "./turn-places.js";
import { accountChanged, neverStarted, notJson, shuttingDown } from "./turn-refusals.js";
import { TurnScope } from "./turn-scope.js";
import { type LegResult, TurnSession } from "./turn-session.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  SpareThreadsHealth,
  ToolOutput,
  TurnErrorData,
  TurnStarted,
} from "./types.js";

/** A turn that showed nothing is run again when the plumbing under it broke; once more, should that break too. */
const maxAttempts = 3;

/** Takes turns in, finds each a worker, runs it, and runs it once more elsewhere when that can be done unseen. */
export class IsolatedTurns {
  #options: IsolatedTurnsOptions;
  readonly #context: IsolatedTurnsContext;
  readonly #admission: Admission<Place>;
  readonly #places: TurnPlaces;
  readonly #spares: SpareThreads;
  readonly #parked: ParkedTurns<TurnSession>;
  readonly #threads: NativeThreads;
  readonly #use: GenerationUse;
  readonly #scope = new TurnScope();
  #closing = false;

  constructor(options: IsolatedTurnsOptions, context: IsolatedTurnsContext) {
    this.#options = options;
    this.#context = context;
    this.#use = new GenerationUse(context.onGenerationIdle);
    this.#parked = new ParkedTurns(options.parking, (session) => this.#use.leave(generationOf(session)));
    this.#threads = new NativeThreads(options.maxLoadedThreads);
    this.#places = new TurnPlaces({
      slots: context.slots,
      gate: new StartGate(options.admission.startGate),
      processPerWorker: options.processPerWorker,
    });
    this.#spares = new SpareThreads(options.spareThreads, {
      findPlace: () => (this.#mayPrepare() ? this.#places.findForSpare() : null),
      availableBytes: context.availableBytes,
      onThreadStarted: context.onThreadStarted,
      onPlaceLeft: () => this.#admission.pump(),
      now: options.now,
    });
    this.#admission = new Admission<Place>(options.admission, () => context.readiness.current, options.now);
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

  /** For turns that begin from here on. */
  reconfigure(bounds: TurnBounds): void {
    const { idleTimeoutMs, idleTimeoutsMs, timeoutMs } = bounds;
    this.#options = { ...this.#options, idleTimeoutMs, idleTimeoutsMs, timeoutMs };
    this.#admission.reconfigure(bounds.admission);
  }

  /** A worker became ready: what waits may start. */
  pump(): void {
    this.#admission.pump();
  }

  async run(request: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const wanted = readRequest(request, this.#options.profile);
    return this.#scope.run(handlers, async (signal) => {
      const handled = { ...handlers, signal };
      for (let attempt = 1; ; attempt += 1) {
        const permit = await this.#acquire(wanted, signal, () => this.#findPlace(wanted));
        handlers.onAdmitted?.();
        const { result, session } = await this.#attempt(wanted, permit, handled, (spareThreadId) => {
          this.#checkAccount(wanted, permit);
          const nativeThread =
            spareThreadId === null ? freshThread : { kind: "spare" as const, threadId: spareThreadId };
          return this.#assignment(wanted, nativeThread);
        });
        if (attempt === maxAttempts || !mayRunAgain(result) || signal.aborted)
          return this.#conclude(result, session);
        this.#context.logger.warn(
          { event: "turn.run_again", requestId: wanted.requestId, worker: permit.place.slot.id },
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
    const wanted = readRequest(request, this.#options.profile);
    const assignment = this.#assignment(wanted, { kind: "continued", threadId: source.threadId });
    const settings = orRefuse(wanted, () => settingsOf(assignment));
    const thread = this.#threads.take(source.threadId, source.turnId, settings);
    if (thread === null) return null;
    return this.#scope.run(handlers, async (signal) => {
      const handled = { ...handlers, signal };
      const permit = await this.#acquire(wanted, signal, () => this.#places.findOn(thread)).catch(
        (error: unknown) => {
          if (!isAlive(thread)) return null;
          this.#threads.keep(thread);
          throw error;
        },
      );
      if (permit === null) return null;
      handlers.onAdmitted?.();
      const { result, session } = await this.#attempt(wanted, permit, handled, () => {
        this.#checkAccount(wanted, permit);
        return assignment;
      });
      if (!session.begun) this.#threads.keep(thread);
      return mayRunAgain(result) ? null : this.#conclude(result, session);
    });
  }

  /** Goes on with a parked turn; null when there is none to go on with, or it died before it showed anything more. */
  async resume(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    const read = readToolOutputs(outputs);
    const given = { ...handlers };
    const session = this.#parked.take(
      turnId,
      read.map((output) => output.callId),
    );
    if (session === null) return null;
    // It has its native thread and its worker already: there is nothing to wait for.
    const leave = this.#admission.enterNow();
    handlers.onAdmitted?.();
    try {
      return await this.#scope.run(handlers, async (signal) => {
        const result = await this.#counted(session, 0, () => session.resume(read, { ...given, signal }));
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
    this.#spares.forgetDead();
  }

  get spareThreads(): SpareThreadsHealth {
    return this.#spares.health();
  }

  findParked(callIds: readonly string[], owner: string | null): string | null {
    return this.#parked.find(callIds, owner);
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
    this.#closing = true;
    this.#admission.close(shuttingDown());
    this.#parked.abandonAll();
    this.#spares.clear();
    await this.#scope.close(graceMs, () => this.#admission.running === 0);
  }

  /** Ends the grace of a `close` under way. */
  cutGraceShort(): void {
    this.#scope.cutGraceShort();
  }

  async #acquire(
    wanted: WantedTurn,
    signal: AbortSignal,
    findPlace: () => Place | null,
  ): Promise<Permit<Place>> {
    const { readiness } = this.#context;
    if (readiness.phase === "blocked" || readiness.phase === "stopped") throw this.#notReady();
    try {
      const find = () => orRefuse(wanted, findPlace);
      return await this.#admission.acquire({ caller: wanted.caller, signal, findPlace: find });
    } catch (error) {
      throw this.#scope.closed ? shuttingDown() : error;
    }
  }

  /** The login may have changed since the caller looked: work of one account never runs on another. */
  #checkAccount(wanted: WantedTurn, permit: Permit<Place>): void {
    const { accountId } = this.#context.describeTarget(permit.place.slot);
    if (wanted.accountId === undefined || wanted.accountId === accountId) return;
    throw accountChanged();
  }

  /** Whatever `assign` or the turn throws, the place is given back. */
  async #attempt(
    wanted: WantedTurn,
    permit: Permit<Place>,
    handlers: IsolatedTurnHandlers,
    assign: (spareThreadId: string | null) => Assignment,
  ): Promise<{ readonly result: LegResult; readonly session: TurnSession }> {
    const { slot, gatePlace, spare } = permit.place;
    let unused = spare;
    try {
      const spareThreadId = spare === null ? null : await this.#spares.claim(spare);
      // What cannot be had is given back already.
      if (spareThreadId === null) unused = null;
      const assignment = assign(spareThreadId);
      const session = new TurnSession(this.#context.slots.pool, {
        assignment,
        slot,
        target: this.#context.describeTarget(slot),
        owner: wanted.owner,
        timeoutMs: this.#options.timeoutMs,
        onLeftGate: () => {
          gatePlace.leave();
          this.#onGateMoved();
        },
        onStartOverdue: () => {
          gatePlace.noteOverdue();
          this.#onGateMoved();
        },
      });
      if (session.begun) unused = null;
      const result = await this.#counted(session, permit.waitedMs, () => session.run(handlers));
      if (result.started !== null && assignment.nativeThread.kind === "fresh") {
        this.#context.onThreadStarted(generationOf(session));
      }
      return { result, session };
    } finally {
      if (unused !== null) this.#spares.discard(unused);
      gatePlace.leave();
      this.#leave(permit.release);
    }
  }

  #onGateMoved(): void {
    this.#admission.pump();
    this.#spares.refill();
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
      if (isInfrastructureFault(result)) this.#places.markSuspects(session.slot);
      // Until it is taken out again, or given up.
      if (isParked(result)) this.#use.enter(generation);
      this.#observe(result, waitedMs);
      return result;
    } finally {
      this.#use.leave(generation);
    }
  }

  #observe(result: LegResult, waitedMs: number): void {
    try {
      this.#context.observer?.onTurnEnded(observe(result, waitedMs));
    } catch (error) {
      // A host's observer, which must not throw, costs no turn.
      this.#context.logger.error({ event: "turn.observer_failed", err: error }, "the observer threw");
    }
  }

  #leave(release: () => void): void {
    release();
    this.#spares.refill();
    if (this.#admission.running === 0) this.#scope.noteIdle();
  }

  #assignment(wanted: WantedTurn, nativeThread: NativeThreadChoice): Assignment {
    const model = this.#context.chooseModel(wanted.model);
    return buildAssignment(wanted, { model, nativeThread, ...this.#options });
  }

  #findPlace(wanted: WantedTurn): Place | null {
    if (this.#context.readiness.phase !== "ready") return null;
    return this.#places.find(this.#spares, () => this.#assignment(wanted, freshThread));
  }

  /** Turns that wait for a place come first. */
  #mayPrepare(): boolean {
    return this.#context.readiness.phase === "ready" && this.#admission.depth === 0 && !this.#closing;
  }

  async #conclude(result: LegResult, session: TurnSession): Promise<IsolatedTurnResult> {
    const { outcome, started, usage, handlerError } = result;
    if (handlerError !== undefined) throw handlerError;
    if (outcome.status === "failed") throw await this.#explain(outcome.error, session);
    if (outcome.status === "cancelled" && this.#scope.closed) throw shuttingDown();
    if (started === null) {
      throw neverStarted();
    }
    if (outcome.status === "completed" && session.assignment.keepThread) this.#keepThread(started, session);
    if (outcome.status === "parked") this.#parked.park(started.turnId, session, outcome.callIds);
    return { ...started, outcome, usage };
  }

  async #explain(error: TurnErrorData, { assignment }: TurnSession): Promise<CodexNativeApiError> {
    const explained = CodexNativeApiError.fromTurnError(await this.#withRetryTime(error));
    if (error.code !== "invalid_request" || error.param !== undefined) return explained;
    const fields = fieldsOf(assignment);
    return findNotJson(fields) === null ? explained : notJson(fields, explained);
  }

  /** Codex does not pass on what the backend says of when to come again; the plan's windows tell, where one is used up. */
  async #withRetryTime(error: TurnErrorData): Promise<TurnErrorData> {
    const isUsedUp = error.code === "usage_limit_reached";
    if ((!isUsedUp && error.code !== "rate_limit_exceeded") || error.retryAfterMs !== undefined) return error;
    // A burst is no reason to ask the backend for more.
    const retryAfterMs = await this.#context.windowOpensInMs({ mayAsk: isUsedUp });
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

const freshThread = { kind: "fresh" } as const;

function generationOf(session: TurnSession): number {
  return session.target.appServerGeneration;
}
