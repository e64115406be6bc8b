import { blankSettings, startSettings } from "../../workers/contract/blank-thread.js";
import type { NativeThreadChoice, PromptForm, ThreadSettings } from "../../workers/contract/turn.js";
import { CodexNativeApiError } from "../errors.js";
import { AccountStanding, type TurnedAway } from "./account-standing.js";
import { Admission, type Permit } from "./admission/admission.js";
import { StartGate } from "./admission/start-gate.js";
import { type EndedLeg, FormTrials } from "./form-trials.js";
import type { IsolatedTurnsContext, IsolatedTurnsOptions, TurnBounds } from "./isolated-turns-context.js";
import { isCompleted, isParked, mayBeTriedAgain, mayRunAgain } from "./leg-verdicts.js";
import { NativeConnections } from "./native-connections.js";
import { isAlive, NativeThreads } from "./native-threads.js";
import { ParkedTurns } from "./parked-turns.js";
import { SleptThreads } from "./slept-threads.js";
import { type SparePlace, SpareThreads } from "./spare-threads.js";
import { TurnAdmission } from "./turn-admission.js";
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
import { TurnAttempts } from "./turn-attempts.js";
import { type Place, TurnPlaces } from "./turn-places.js";
import { accountChanged, neverStarted, notReady, orNotJson, shuttingDown } from "./turn-refusals.js";
import { TurnScope } from "./turn-scope.js";
import type { LegResult, TurnSession } from "./turn-session.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  SpareThreadsHealth,
  ToolOutput,
  TurnErrorData,
  TurnStarted,
  TurnTerms,
  UpstreamConnectionsHealth,
} from "./types.js";

/** A turn that showed nothing is run again when the plumbing under it broke; once more, should that break too. */
const maxAttempts = 3;

/** Takes turns in, finds each a worker, runs it, and runs it once more elsewhere when that can be done unseen. */
export class IsolatedTurns {
  #options: IsolatedTurnsOptions;
  readonly #context: IsolatedTurnsContext;
  readonly #admission: Admission<Place>;
  readonly #account: AccountStanding;
  readonly #waiting: TurnAdmission;
  readonly #connections: NativeConnections;
  readonly #places: TurnPlaces;
  readonly #spares: SpareThreads;
  readonly #parked: ParkedTurns<TurnSession>;
  readonly #threads: NativeThreads;
  readonly #attempts: TurnAttempts;
  readonly #scope = new TurnScope();
  readonly #slept: SleptThreads;
  /** Turns that were refused on their native thread: whoever replays one, with the same handlers, keeps its place in the line. */
  readonly #turnedAway = new WeakMap<IsolatedTurnHandlers, TurnedAway>();
  readonly #trials: FormTrials;
  #closing = false;

  constructor(options: IsolatedTurnsOptions, context: IsolatedTurnsContext) {
    this.#options = options;
    this.#context = context;
    this.#trials = new FormTrials(context.forms, options.now);
    this.#parked = new ParkedTurns(options.parking, (session) => {
      session.leave();
      this.#attempts.leaveParked(session);
    });
    this.#threads = new NativeThreads(options.maxLoadedThreads);
    this.#places = new TurnPlaces({
      slots: context.slots,
      gate: new StartGate(options.admission.startGate),
      processPerWorker: options.processPerWorker,
    });
    this.#spares = new SpareThreads(options.spareThreads, {
      findPlace: () => this.#findPlaceForSpare(),
      availableBytes: context.availableBytes,
      onThreadStarted: context.onThreadStarted,
      onPlaceLeft: () => this.#admission.pump(),
      now: options.now,
    });
    this.#slept = new SleptThreads({
      ...options,
      spares: this.#spares,
      threads: this.#threads,
      parked: this.#parked,
      logger: context.logger,
    });
    this.#admission = new Admission<Place>(
      options.admission,
      () => context.readiness.current,
      options.now,
      context.room,
    );
    this.#account = new AccountStanding({
      ...context,
      failWaiting: (error, isMeant) => this.#admission.failWaiting(error, isMeant),
      now: options.now,
    });
    this.#waiting = new TurnAdmission({
      ...context,
      admission: this.#admission,
      account: this.#account,
      isClosed: () => this.#scope.closed,
      now: options.now,
    });
    this.#connections = new NativeConnections(options.connections, {
      running: () => this.#admission.running,
      waiting: () => this.#admission.waitingWithThread,
      wanted: () => Math.min(this.#admission.depth - this.#admission.waitingWithThread, context.room.free()),
      parked: this.#parked,
      threads: this.#threads,
      spares: this.#spares,
      slots: context.slots,
      now: options.now,
      onRoom: () => this.#admission.pump(),
      logger: context.logger,
    });
    this.#attempts = new TurnAttempts({
      ...context,
      admission: this.#admission,
      account: this.#account,
      connections: this.#connections,
      places: this.#places,
      spares: this.#spares,
      onLegEnded: (result, session) => this.#settle(result, session),
      timeoutMs: () => this.#options.timeoutMs,
      onIdle: () => this.#scope.noteIdle(),
    });
    context.readiness.onChange((phase) => {
      if (phase === "blocked") this.#admission.failWaiting(notReady(context.readiness.current));
      this.#admission.pump();
    });
  }

  get queue(): { readonly depth: number; readonly running: number } {
    return { depth: this.#admission.depth, running: this.#admission.running };
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
    const wanted = readRequest(request);
    this.#slept.discard();
    return this.#scope.run(handlers, async (signal) => {
      const handled = { ...handlers, signal };
      const trial = this.#trials.take(handlers, wanted.caller);
      let returned = this.#turnedAway.get(handlers);
      // It is of this turn alone, whoever uses the handlers again.
      this.#turnedAway.delete(handlers);
      let attempt = 1;
      for (;;) {
        const findPlace = () => this.#findPlace(wanted, trial.tried);
        const permit = await this.#waiting
          .acquire(wanted, signal, { findPlace }, returned)
          .catch((error: unknown) => this.#trials.giveUp(trial, error));
        if ("result" in permit) return this.#conclude(permit);
        handlers.onAdmission?.(true);
        const assign = (spareThreadId: string | null) => {
          this.#checkAccount(wanted, permit);
          const { thread, lacksInstructions } = permit.place;
          const nativeThread =
            spareThreadId === null
              ? freshThread
              : { kind: "spare" as const, threadId: spareThreadId, lacksInstructions };
          return this.#assignment(wanted, thread, nativeThread);
        };
        const attempted = await this.#attempts.run({ wanted, permit, handlers: handled, assign });
        const ended = { ...attempted, permit };
        const { result } = ended;
        if (!signal.aborted && !this.#scope.closed) {
          returned =
            (await this.#account.turnAway(result, permit, returned)) ?? this.#trials.next(ended, trial);
          if (returned !== undefined) {
            handlers.onAdmission?.(false);
            continue;
          }
        }
        if (attempt === maxAttempts || !mayRunAgain(result) || signal.aborted)
          return this.#conclude(this.#trials.conclude(ended, trial));
        attempt += 1;
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
    const wanted = readRequest(request);
    this.#slept.discard();
    const settings = this.#threadOf(wanted);
    const assignment = this.#assignment(wanted, settings, { kind: "continued", threadId: source.threadId });
    const settingsText = orRefuse(wanted, () => settingsOf(settings));
    const thread = this.#threads.take(source.threadId, source.turnId, settingsText);
    if (thread === null) return null;
    return this.#scope.run(handlers, async (signal) => {
      const handled = { ...handlers, signal };
      const search = {
        findPlace: () => this.#places.findOn(thread, settings),
        needs: `worker ${thread.slot.id}`,
        hasThread: true,
      };
      const permit = await this.#waiting.acquire(wanted, signal, search).catch((error: unknown) => {
        if (!isAlive(thread)) return null;
        this.#threads.keep(thread);
        throw error;
      });
      if (permit === null) return null;
      handlers.onAdmission?.(true);
      const assign = () => {
        this.#checkAccount(wanted, permit);
        return assignment;
      };
      const ended = await this.#attempts
        .run({ wanted, permit, handlers: handled, assign })
        .catch((error: unknown) => {
          if (isAlive(thread)) thread.slot.releaseThread(thread.threadId);
          throw error;
        });
      if (!ended.session.begun) this.#threads.keep(thread);
      return this.#concludeOrReplay({ ...ended, permit }, handlers);
    });
  }

  /** Goes on with a parked turn; null when there is none to go on with, or it died before it showed anything more. */
  async resume(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
    terms: TurnTerms,
  ): Promise<IsolatedTurnResult | null> {
    const read = readToolOutputs(outputs);
    this.#slept.discard();
    const given = { ...handlers };
    const callIds = read.map(({ callId }) => callId);
    // Before it is taken out: it stays parked until the plan's window opens.
    await this.#account.requireOpenWindow();
    const session = this.#parked.take(turnId, callIds);
    if (session === null) return null;
    try {
      return await this.#scope.run(handlers, async (signal) => {
        const permit = await this.#waiting.acquireAgain(session, signal, terms);
        handlers.onAdmission?.(true);
        const result = await this.#attempts.resume(session, permit, (leg) =>
          session.resume(read, { ...given, signal }, { ...leg, deadlineAtMs: terms.deadlineAtMs }),
        );
        return this.#concludeOrReplay({ result, session, permit }, handlers);
      });
    } finally {
      this.#attempts.leaveParked(session);
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

  get upstreamConnections(): UpstreamConnectionsHealth {
    return this.#connections.health();
  }

  /** No new turns; those that run have the given time, then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#admission.close(shuttingDown());
    this.#parked.abandonAll();
    this.#spares.clear();
    this.#connections.close();
    await this.#scope.close(graceMs, () => this.#admission.running === 0);
  }

  /** Ends the grace of a `close` under way. */
  cutGraceShort(): void {
    this.#scope.cutGraceShort();
  }

  /** Codex told of the plan's windows: when a used-up one opens, in milliseconds; null where none is used up. */
  noteWindow(opensInMs: number | null): void {
    this.#account.noteWindow(opensInMs);
  }

  /** The login may have changed since the caller looked: work of one account never runs on another. */
  #checkAccount(wanted: WantedTurn, permit: Permit<Place>): void {
    const { accountId } = this.#context.describeTarget(permit.place.slot);
    if (wanted.accountId === undefined || wanted.accountId === accountId) return;
    throw accountChanged();
  }

  /** Whether no turn runs or is parked on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean {
    return this.#attempts.isIdle(appServerGeneration);
  }

  #assignment(wanted: WantedTurn, thread: ThreadSettings, nativeThread: NativeThreadChoice): Assignment {
    return buildAssignment(wanted, { thread, nativeThread, ...this.#options });
  }

  #threadOf(wanted: WantedTurn, tried?: ReadonlySet<PromptForm>): ThreadSettings {
    const { chooseModel, forms } = this.#context;
    const thread = { ...wanted.thread, model: chooseModel(wanted.model) };
    return { ...thread, ...forms.choose(thread, tried) };
  }

  #findPlace(wanted: WantedTurn, tried: ReadonlySet<PromptForm>): Place | null {
    if (this.#context.readiness.phase !== "ready") return null;
    const thread = this.#threadOf(wanted, tried);
    const blank = blankSettings(thread, this.#context.codexVersion());
    const either = { thread: startSettings(thread), blank };
    const place = this.#places.find(this.#spares, either, () => this.#connections.makeRoom());
    return place === null ? null : { ...place, thread };
  }

  /** Turns that wait for a place come first. Those that wait for the account's room gain by threads that are there when it comes. */
  #findPlaceForSpare(): SparePlace | null {
    if (this.#context.readiness.phase !== "ready" || this.#closing || this.#admission.lacksPlace) return null;
    if (!this.#connections.mayPrepareSpare) return null;
    const place = this.#places.findForSpare();
    if (place !== null) this.#connections.noteOpened();
    return place;
  }

  /** Null where the caller's history is to be run on a new thread: this one broke, or its turn was refused, before it showed anything. */
  async #concludeOrReplay(
    ended: EndedLeg,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    const trial = this.#trials.take(handlers, ended.session.caller);
    const turnedAway =
      (await this.#account.turnAway(ended.result, ended.permit, undefined)) ??
      this.#trials.next(ended, trial);
    if (turnedAway !== undefined) {
      this.#turnedAway.set(handlers, turnedAway);
      this.#trials.keep(handlers, trial);
    } else if (!mayRunAgain(ended.result)) return this.#conclude(ended);
    handlers.onAdmission?.(false);
    return null;
  }

  /** What outlives its leg is counted before the leg's place is given back: its connection is never counted twice, or not at all. */
  #settle(result: LegResult, session: TurnSession): void {
    if (isParked(result)) this.#parked.park(result.started.turnId, session, result.outcome.callIds);
    else if (isCompleted(result) && session.assignment.keepThread) this.#keepThread(result.started, session);
    else session.leave();
  }

  async #conclude({ result, session, permit }: EndedLeg): Promise<IsolatedTurnResult> {
    const { outcome, started, usage, handlerError } = result;
    if (mayBeTriedAgain(result)) this.#attempts.observe(result, permit.waitedMs);
    if (handlerError !== undefined) throw handlerError;
    if (outcome.status === "failed") throw await this.#explain(outcome.error, session);
    if (outcome.status === "cancelled" && this.#scope.closed) throw shuttingDown();
    if (started === null) throw neverStarted();
    return { ...started, outcome, usage };
  }

  async #explain(error: TurnErrorData, { assignment }: TurnSession): Promise<CodexNativeApiError> {
    const explained = CodexNativeApiError.fromTurnError(await this.#account.withRetryTime(error));
    return orNotJson(explained, () => fieldsOf(assignment));
  }

  #keepThread(started: TurnStarted, { slot, assignment }: TurnSession): void {
    this.#threads.keep({
      threadId: started.threadId,
      lastTurnId: started.turnId,
      slot,
      appServerGeneration: started.target.appServerGeneration,
      settings: settingsOf(assignment.thread),
    });
  }
}

const freshThread = { kind: "fresh" } as const;
