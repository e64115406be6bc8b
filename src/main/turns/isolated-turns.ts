import os from "node:os";
import { blankSettings, startSettings } from "../../workers/contract/blank-thread.js";
import type { PromptForm, ThreadSettings } from "../../workers/contract/turn.js";
import { waitWithin } from "../../workers/contract/wait.js";
import { CodexNativeApiError } from "../errors.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnRequest,
  IsolatedTurnResult,
  ToolOutput,
  TurnTerms,
} from "../runtime/types.js";
import { AccountStanding } from "./account-standing.js";
import { Admission, type AdmissionBounds } from "./admission/admission.js";
import { StartGate } from "./admission/start-gate.js";
import { type Place, TurnPlaces } from "./admission/turn-places.js";
import { neverStarted, notReady, refuseExactTools, shuttingDown } from "./admission/turn-refusals.js";
import { FormTrials } from "./form-trials.js";
import type { IsolatedTurnsContext, IsolatedTurnsOptions } from "./isolated-turns-context.js";
import { LoginRefusals } from "./login-refusals.js";
import { hasReached, mayBeTriedAgain, mayRunAgain } from "./segment-verdicts.js";
import { NativeConnections } from "./threads/native-connections.js";
import { ClockWatch, isAlive, NativeThreads } from "./threads/native-threads.js";
import { ParkedTurns } from "./threads/parked-turns.js";
import { type SparePlace, SpareThreads, type WantedThread } from "./threads/spare-threads.js";
import { readRequest, readToolOutputs, type TurnRequest, withNamedModel } from "./turn-assignment.js";
import { type EndedSegment, TurnAttempts } from "./turn-attempts.js";
import { TurnScope } from "./turn-scope.js";
import type { SegmentResult, TurnSession } from "./turn-session.js";

/** A turn that showed nothing is run again when the plumbing under it broke; once more, should that break too. */
const maxAttempts = 3;
const now = () => performance.now();

/** What health reports before there are worker threads. */
export const noTurnsHealth = {
  queue: { depth: 0, running: 0 },
  spareThreads: { ready: 0, taken: 0, missed: 0, discarded: 0 },
  connections: { held: 0, bound: null, refused: 0 },
} as const;

/** Admits turns, finds each a worker, runs it, and runs it again elsewhere when its caller cannot notice. */
export class IsolatedTurns {
  readonly #context: IsolatedTurnsContext;
  readonly #admission: Admission<Place>;
  readonly #account: AccountStanding;
  readonly #connections: NativeConnections;
  readonly #places: TurnPlaces;
  readonly #spares: SpareThreads;
  readonly parked: ParkedTurns<TurnSession>;
  readonly threads: NativeThreads;
  readonly #attempts: TurnAttempts;
  readonly #logins: LoginRefusals;
  readonly #scope = new TurnScope();
  readonly #wallClock = new ClockWatch(now, Date.now);
  /** Since the machine was started, the time that it slept included. */
  readonly #bootClock = new ClockWatch(now, () => os.uptime() * 1_000);
  readonly #trials: FormTrials;
  #closing = false;

  constructor(options: IsolatedTurnsOptions, context: IsolatedTurnsContext) {
    this.#context = context;
    this.#trials = new FormTrials(context.forms, now);
    this.parked = new ParkedTurns(options.parking, (session) => {
      session.leave();
      this.#attempts.leaveParked(session);
    });
    this.threads = new NativeThreads(options.maxLoadedThreads);
    const gate = new StartGate(options.admission.startGate);
    this.#places = new TurnPlaces(context.slots, gate, options.processPerWorker);
    this.#spares = new SpareThreads(options.spareThreads, {
      findPlace: () => this.#findPlaceForSpare(),
      onPlaceLeft: () => this.#admission.pump(),
      now,
      ...context,
    });
    this.#admission = new Admission<Place>(
      options.admission,
      () => context.readiness.current,
      now,
      context.room,
    );
    this.#account = new AccountStanding({
      ...context,
      failWaiting: (error, isMeant) => this.#admission.failWaiting(error, isMeant),
      now,
    });
    this.#connections = new NativeConnections(options.connections, {
      ...context,
      running: () => this.#admission.running,
      waiting: () => this.#admission.waitingWithThread,
      wanted: () => Math.min(this.#admission.depth - this.#admission.waitingWithThread, context.room.free()),
      parked: this.parked,
      threads: this.threads,
      spares: this.#spares,
      now,
      onRoom: () => this.#admission.pump(),
    });
    this.#attempts = new TurnAttempts({
      ...context,
      admission: this.#admission,
      account: this.#account,
      connections: this.#connections,
      places: this.#places,
      spares: this.#spares,
      onSegmentEnded: (result, session) => this.#settle(result, session),
      isClosed: () => this.#scope.closed,
      now,
      onIdle: () => this.#scope.noteIdle(),
    });
    this.#logins = new LoginRefusals({ ...context, attempts: this.#attempts, now });
    context.readiness.onChange((phase) => {
      if (phase === "blocked") this.#admission.failWaiting(notReady(context.readiness.current));
      this.#admission.pump();
    });
  }

  health() {
    return {
      queue: {
        depth: this.#admission.depth,
        running: this.#admission.running,
        capacity: this.#admission.capacity,
        parked: this.parked.size,
      },
      spareThreads: this.#spares.health(),
      connections: this.#connections.health(),
    };
  }

  /** For turns that come from here on. */
  reconfigure(bounds: AdmissionBounds): void {
    this.#admission.reconfigure(bounds);
  }

  /** A worker became ready: what waits may start. */
  pump(): void {
    this.#admission.pump();
  }

  /** A turn like this one is announced, to which items may still come. Rejects with what is wrong with it. */
  async expect(given: IsolatedTurnRequest, signal: AbortSignal | undefined): Promise<void> {
    const request = await this.#nameModel(readRequest(given, true), signal);
    if (this.#context.readiness.phase !== "ready") return;
    this.#spares.expect(this.#wantedOf(this.#threadOf(request)));
  }

  async run(given: IsolatedTurnRequest, handlers: IsolatedTurnHandlers): Promise<IsolatedTurnResult> {
    const read = readRequest(given);
    this.#forgetSlept();
    return this.#scope.run(handlers.signal, async (signal) => {
      const request = await this.#nameModel(read, signal);
      const handled = { ...handlers, signal };
      const trial = this.#trials.take(handlers, request.caller);
      let attempt = 1;
      for (;;) {
        const findPlace = () => this.#findPlace(request, trial.tried);
        const permit = await this.#attempts
          .acquire(request, signal, { findPlace }, trial.returned)
          .catch((error: unknown) => this.#trials.giveUp(trial, error));
        if ("result" in permit) return this.#conclude(permit);
        handlers.onAdmission?.(true);
        const run = await this.#attempts.run(request, permit, handled);
        const ended = await this.#logins.judge(run, signal, attempt === maxAttempts);
        const { result } = ended;
        if (!signal.aborted && !this.#scope.closed) {
          trial.returned =
            (await this.#account.turnAway(result, permit, trial.returned)) ?? this.#trials.next(ended, trial);
          if (trial.returned !== undefined) {
            tellRetry(result, handlers);
            handlers.onAdmission?.(false);
            continue;
          }
        }
        if (attempt === maxAttempts || !mayRunAgain(result) || signal.aborted)
          return this.#conclude(this.#trials.conclude(ended, trial));
        attempt += 1;
        tellRetry(result, handlers);
        this.#context.logger.warn(
          { event: "turn.run_again", requestId: request.requestId, worker: permit.place.slot.id },
          "running a turn again that has shown no output yet",
        );
      }
    });
  }

  /** Runs a turn on a loaded thread; null where that cannot be, or broke before it showed anything. */
  async runOnThread(
    source: { readonly threadId: string; readonly turnId: string },
    given: IsolatedTurnRequest,
    handlers: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null> {
    const request = await this.#nameModel(readRequest(given), handlers.signal);
    this.#forgetSlept();
    const settings = this.#threadOf(request);
    const wanted = { settings: JSON.stringify(settings), turnSettings: request.turn };
    const thread = this.threads.take(source.threadId, source.turnId, wanted);
    if (thread === null) return null;
    return this.#scope.run(handlers.signal, async (signal) => {
      const search = {
        findPlace: () => this.#places.findOn(thread, settings),
        needs: `worker ${thread.slot.id}`,
        hasThread: true,
      };
      const permit = await this.#attempts.acquire(request, signal, search).catch((error: unknown) => {
        if (!isAlive(thread)) return null;
        this.threads.keep(thread);
        throw error;
      });
      if (permit === null) return null;
      handlers.onAdmission?.(true);
      const ended = await this.#attempts
        .run(request, permit, { ...handlers, signal })
        .catch((error: unknown) => {
          if (isAlive(thread)) thread.slot.releaseThread(thread.threadId);
          throw error;
        });
      return this.#concludeOrReplay(ended, handlers, signal);
    });
  }

  /** Resumes a parked turn; null when it is not parked any more, or died before it showed anything more. */
  async resume(
    turnId: string,
    given: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
    terms: TurnTerms,
  ): Promise<IsolatedTurnResult | null> {
    const outputs = readToolOutputs(given);
    this.#forgetSlept();
    const handled = { ...handlers };
    const callIds = outputs.map(({ callId }) => callId);
    // Before it is taken out: it stays parked until the plan's window opens.
    await this.#account.requireOpenWindow();
    const session = this.parked.take(turnId, callIds);
    if (session === null) return null;
    try {
      return await this.#scope.run(handlers.signal, async (signal) => {
        const permit = await this.#attempts.acquireAgain(session, signal, terms);
        handlers.onAdmission?.(true);
        const ended = await this.#attempts.resume(session, permit, outputs, { ...handled, signal });
        return this.#concludeOrReplay(ended, handlers, signal);
      });
    } finally {
      this.#attempts.leaveParked(session);
    }
  }

  /** A worker lost its connection: what was loaded there is gone. */
  forgetDeadThreads(): void {
    this.threads.forgetDead();
    this.#spares.forgetDead();
  }

  /** Their login is gone: no caller may answer their calls. */
  abandonParked(): void {
    this.parked.abandonAll();
  }

  /** No new turns; those that run have the given time, then they are cancelled. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#admission.close(shuttingDown());
    this.parked.abandonAll();
    this.#spares.clear();
    this.#connections.close();
    await this.#scope.close(graceMs, () => this.#admission.running === 0);
  }

  /** Ends the grace of a `close` under way. */
  cutGraceShort(): void {
    this.#scope.cutGraceShort();
  }

  /** Codex reported the plan's windows: when a used-up one opens, in milliseconds; null where none is used up. */
  noteWindow(opensInMs: number | null): void {
    this.#account.noteWindow(opensInMs);
  }

  /** Whether no turn runs or is parked on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean {
    return this.#attempts.isIdle(appServerGeneration);
  }

  /**
   * What stood by while the machine slept has no connection any more, and nothing reports that: what is sent over one waits until TCP
   * gives up. Chains and parked turns are replayed. Spares cost no caller anything, so these go also where only the wall clock jumped.
   */
  #forgetSlept(): void {
    const [hasSlept, hasJumped] = [this.#bootClock.hasJumped(), this.#wallClock.hasJumped()];
    if (!hasSlept && !hasJumped) return;
    const event = "native_threads.clock_jumped";
    this.#context.logger.info({ event, hasSlept }, "a clock jumped; discarding idle native threads");
    this.#spares.discardAll();
    if (!hasSlept) return;
    this.threads.releaseAll();
    this.parked.abandonAll();
  }

  async #nameModel(request: TurnRequest, signal: AbortSignal | undefined): Promise<TurnRequest> {
    if (request.isNamed) return request;
    const { deadlineAtMs } = request;
    const timeoutMs = deadlineAtMs === undefined ? undefined : Math.max(0, deadlineAtMs - now());
    const named = this.#context.resolveModel(request.model, timeoutMs);
    if (!(named instanceof Promise)) return withNamedModel(request, named);
    // Who has left is told so by the queue.
    return withNamedModel(request, await waitWithin(named, { signal }, () => null));
  }

  /** Throws `model_not_found`, and `invalid_request` for a tool with a grammar where Codex might run it itself. */
  #threadOf(request: TurnRequest, tried?: ReadonlySet<PromptForm>): ThreadSettings {
    const { chooseModel, forms, isCatalogDerived } = this.#context;
    if (!isCatalogDerived()) refuseExactTools(request.thread.tools);
    const thread = { ...request.thread, model: chooseModel(request.model) };
    return { ...thread, ...forms.choose(thread, tried) };
  }

  #wantedOf(thread: ThreadSettings): WantedThread {
    return { thread: startSettings(thread), blank: blankSettings(thread, this.#context.codexVersion()) };
  }

  #findPlace(request: TurnRequest, tried: ReadonlySet<PromptForm>): Place | null {
    if (this.#context.readiness.phase !== "ready") return null;
    const thread = this.#threadOf(request, tried);
    const wanted = this.#wantedOf(thread);
    const place = this.#places.find(this.#spares, wanted, () => this.#connections.makeRoom());
    return place === null ? null : { ...place, thread, loaded: null };
  }

  /** Turns that wait for a place come first. Those that wait for the account's room gain by threads that are there when it comes. */
  #findPlaceForSpare(): SparePlace | null {
    if (this.#context.readiness.phase !== "ready" || this.#closing || this.#admission.lacksPlace) return null;
    if (!this.#connections.hasRoom || !this.#connections.isPaceKept) return null;
    const place = this.#places.findForSpare();
    if (place !== null) this.#connections.noteOpened();
    return place;
  }

  /** Null where the caller's history is to be run on a new thread: this one broke, or its turn was refused, before it showed anything. */
  async #concludeOrReplay(
    run: EndedSegment,
    handlers: IsolatedTurnHandlers,
    signal: AbortSignal,
  ): Promise<IsolatedTurnResult | null> {
    const ended = await this.#logins.judge(run, signal, false);
    const trial = this.#trials.take(handlers, ended.session.caller);
    trial.returned =
      (await this.#account.turnAway(ended.result, ended.permit, undefined)) ??
      this.#trials.next(ended, trial);
    if (trial.returned !== undefined) this.#trials.keep(handlers, trial);
    else if (!mayRunAgain(ended.result)) return this.#conclude(ended);
    tellRetry(ended.result, handlers);
    handlers.onAdmission?.(false);
    return null;
  }

  /** A thread that outlives its segment is counted before the segment's place is given back, so that its connection is counted once. */
  #settle(result: SegmentResult, session: TurnSession): void {
    const { slot, assignment } = session;
    if (hasReached(result, "parked"))
      return this.parked.park(result.started.turnId, session, result.outcome.callIds);
    if (!hasReached(result, "completed") || !assignment.keepThread || result.outcome.isThreadLost === true) {
      return session.leave();
    }
    const { threadId, turnId, target } = result.started;
    this.threads.keep({
      threadId,
      lastTurnId: turnId,
      slot,
      appServerGeneration: target.appServerGeneration,
      settings: JSON.stringify(assignment.thread),
      turnSettings: assignment.turn,
    });
  }

  async #conclude(ended: EndedSegment): Promise<IsolatedTurnResult> {
    const { result } = ended;
    const { outcome, started, usage, handlerError } = result;
    if (mayBeTriedAgain(result)) this.#attempts.observe(ended);
    if (handlerError !== undefined) throw handlerError;
    if (outcome.status === "failed")
      throw CodexNativeApiError.fromTurnError(await this.#account.withRetryTime(outcome.error));
    if (outcome.status === "cancelled" && this.#scope.closed) throw shuttingDown();
    if (started === null) throw neverStarted();
    return { ...started, outcome, usage };
  }
}

function tellRetry({ outcome }: SegmentResult, { onRetry }: IsolatedTurnHandlers): void {
  if (outcome.status === "failed") onRetry?.(outcome.error.code);
}
