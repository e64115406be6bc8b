import type { NativeThreadChoice } from "../../workers/contract/turn.js";
import type { IsolatedTurnHandlers, ToolOutput, TurnTerms } from "../runtime/types.js";
import type { AccountStanding, TurnedAway } from "./account-standing.js";
import type { Admission, AdmissionRequest, Permit } from "./admission/admission.js";
import type { Place, TurnPlaces } from "./admission/turn-places.js";
import { accountChanged, noRoomInTime, notReady, shuttingDown } from "./admission/turn-refusals.js";
import type { IsolatedTurnsContext } from "./isolated-turns-context.js";
import { hasReached, mayBeTriedAgain, observe } from "./segment-verdicts.js";
import type { NativeConnections } from "./threads/native-connections.js";
import type { SpareThreads } from "./threads/spare-threads.js";
import { buildAssignment, type TurnRequest } from "./turn-assignment.js";
import { isInfrastructureFault, type SegmentResult, TurnSession } from "./turn-session.js";

interface TurnAttemptsContext
  extends Pick<
    IsolatedTurnsContext,
    | "slots"
    | "readiness"
    | "turnBounds"
    | "chooseModel"
    | "describeTarget"
    | "standardEffort"
    | "onTurnEnded"
    | "explainFailure"
    | "logger"
    | "onThreadStarted"
    | "onGenerationIdle"
  > {
  readonly admission: Admission<Place>;
  readonly account: AccountStanding;
  readonly connections: NativeConnections;
  readonly places: TurnPlaces;
  readonly spares: SpareThreads;
  /** Whether turns have been cancelled because the service shuts down. */
  readonly isClosed: () => boolean;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Called when a segment is over, while it still has its place. */
  readonly onSegmentEnded: (result: SegmentResult, session: TurnSession) => void;
  /** Called when no turn runs any more. */
  readonly onIdle: () => void;
}

/** A segment that is over, and what it ran on. */
export interface EndedSegment {
  readonly result: SegmentResult;
  readonly session: TurnSession;
  readonly permit: Permit<Place>;
}

/**
 * Has turns wait for what lets them run (a runtime that is ready, a plan with room, a place), runs them, gives the place back whatever
 * happens, and counts what runs on which app-server.
 */
export class TurnAttempts {
  readonly #context: TurnAttemptsContext;
  readonly #use: GenerationUse;

  constructor(context: TurnAttemptsContext) {
    this.#context = context;
    this.#use = new GenerationUse(context.onGenerationIdle);
  }

  /** `search`: how the turn looks for its place. `returned`: it was admitted before and could not run. */
  async acquire(
    request: TurnRequest,
    signal: AbortSignal,
    search: Pick<AdmissionRequest<Place>, "findPlace" | "needs" | "hasThread">,
    returned?: TurnedAway,
  ): Promise<Permit<Place>> {
    const { readiness, account, chooseModel } = this.#context;
    if (readiness.phase === "blocked" || readiness.phase === "stopped") throw notReady(readiness.current);
    await account.requireOpenWindow();
    const { caller, priority, deadlineAtMs } = request;
    // The model, as far as it can be chosen yet: the catalog may not have been read.
    const model = readiness.phase === "ready" ? chooseModel(request.model) : (request.model ?? "");
    return this.#wait({ ...search, caller, priority, deadlineAtMs, model, signal, returned });
  }

  /** For a parked turn that is resumed: it asks the backend again, so it needs room there. It has its thread and its worker. */
  async acquireAgain(session: TurnSession, signal: AbortSignal, terms: TurnTerms): Promise<Permit<Place>> {
    const { assignment, caller, slot } = session;
    const { thread } = assignment;
    const place: Place = { slot, thread, gatePlace: noGate, spare: null, loaded: null };
    const search = { findPlace: () => place, needs: "nothing", hasThread: true };
    const returned = { enqueuedAtMs: this.#context.now(), error: noRoomInTime(), refusals: 0 };
    try {
      return await this.#wait({ ...terms, ...search, caller, model: thread.model, signal, returned });
    } catch (error) {
      session.cancel();
      session.leave();
      throw error;
    }
  }

  async #wait(request: AdmissionRequest<Place>): Promise<Permit<Place>> {
    const { admission, isClosed } = this.#context;
    try {
      return await admission.acquire(request);
    } catch (error) {
      throw isClosed() ? shuttingDown() : error;
    }
  }

  /** The first segment of a turn. Throws where another account is logged in than the request is bound to. */
  async run(
    request: TurnRequest,
    permit: Permit<Place>,
    handlers: IsolatedTurnHandlers,
  ): Promise<EndedSegment> {
    const { connections, onThreadStarted } = this.#context;
    const { thread, gatePlace } = permit.place;
    try {
      const nativeThread = await this.#claimThread(permit.place);
      this.#checkAccount(request, permit.place, nativeThread);
      const assignment = buildAssignment(request, thread, nativeThread, this.#context.turnBounds());
      const session = this.#begin(request, permit, assignment);
      const isFresh = nativeThread.kind === "fresh";
      if (isFresh) connections.noteOpened();
      const ended = await this.#count(session, permit, session.run(handlers));
      if (isFresh && ended.result.started !== null) onThreadStarted(generationOf(session));
      return ended;
    } finally {
      gatePlace.leave();
      this.#leave(permit);
    }
  }

  /** A further segment of a turn that was parked. */
  async resume(
    session: TurnSession,
    permit: Permit<Place>,
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
  ): Promise<EndedSegment> {
    try {
      return await this.#count(session, permit, session.resume(outputs, handlers, permit));
    } finally {
      this.#leave(permit);
    }
  }

  /** A parked turn is resumed or abandoned. */
  leaveParked(session: TurnSession): void {
    this.#use.leave(generationOf(session));
  }

  /** Whether no turn runs or is parked on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean {
    return this.#use.isIdle(appServerGeneration);
  }

  /** Reports a segment to the observer. A turn that goes back to the queue has not ended. */
  observe({ result, session, permit }: EndedSegment): void {
    const { onTurnEnded, logger } = this.#context;
    try {
      onTurnEnded(observe(result, { waitedMs: permit.waitedMs, owner: session.owner }));
    } catch (error) {
      // A host's observer, which must not throw, costs no turn.
      logger.error({ event: "turn.observer_failed", err: error }, "the observer of turns failed");
    }
  }

  /** A spare that cannot be had has been given back already. */
  async #claimThread({ loaded, spare }: Place): Promise<NativeThreadChoice> {
    if (loaded !== null) return { kind: "continued", threadId: loaded.threadId };
    const threadId = spare === null ? null : await this.#context.spares.claim(spare);
    if (spare === null || threadId === null) return { kind: "fresh" };
    return { kind: "spare", threadId, lacksInstructions: spare.lacksInstructions };
  }

  /** The login may have changed since the caller looked: work of one account never runs on another. */
  #checkAccount({ accountId }: TurnRequest, { slot, spare }: Place, { kind }: NativeThreadChoice): void {
    const { describeTarget, spares } = this.#context;
    if (accountId === undefined || accountId === describeTarget(slot).accountId) return;
    if (spare !== null && kind === "spare") spares.discard(spare);
    throw accountChanged();
  }

  #begin(
    request: TurnRequest,
    permit: Permit<Place>,
    assignment: ReturnType<typeof buildAssignment>,
  ): TurnSession {
    const { slots, describeTarget, standardEffort, turnBounds, connections, admission, spares } =
      this.#context;
    const { slot, gatePlace } = permit.place;
    const onGateMoved = (): void => {
      admission.pump();
      spares.refillSoon();
    };
    return new TurnSession(slots.pool, {
      assignment,
      slot,
      target: describeTarget(slot),
      effort: assignment.turn.effort ?? standardEffort(assignment.thread),
      request,
      permit,
      timeoutMs: turnBounds().timeoutMs,
      onLeftGate: () => {
        gatePlace.leave();
        onGateMoved();
      },
      onNotice: (notice) => {
        if (notice === "connection_refused") return connections.noteRefused();
        gatePlace.noteOverdue();
        permit.seat.overdue();
        onGateMoved();
      },
      onRoom: () => {
        admission.pump();
        spares.refill();
      },
    });
  }

  async #count(
    session: TurnSession,
    permit: Permit<Place>,
    segment: Promise<SegmentResult>,
  ): Promise<EndedSegment> {
    const { places, account, onSegmentEnded } = this.#context;
    const generation = generationOf(session);
    this.#use.enter(generation);
    try {
      const result = await this.#explain(await segment);
      if (isInfrastructureFault(result)) places.markSuspects(session.slot);
      // Until it is resumed or abandoned.
      if (hasReached(result, "parked")) this.#use.enter(generation);
      onSegmentEnded(result, session);
      const ended = { result, session, permit };
      if (!mayBeTriedAgain(result)) this.observe(ended);
      account.noteVerdict(result, permit);
      return ended;
    } finally {
      this.#use.leave(generation);
    }
  }

  async #explain(result: SegmentResult): Promise<SegmentResult> {
    const { outcome } = result;
    if (outcome.status !== "failed") return result;
    const error = await this.#context.explainFailure(outcome.error);
    return error === outcome.error ? result : { ...result, outcome: { ...outcome, error } };
  }

  #leave({ release }: Permit<Place>): void {
    const { spares, admission, onIdle } = this.#context;
    release();
    spares.refill();
    if (admission.running === 0) onIdle();
  }
}

const noGate = { leave: () => {}, noteOverdue: () => {} };

function generationOf(session: TurnSession): number {
  return session.target.appServerGeneration;
}

/** Which app-server generations have work of ours on them: turns under way, and turns parked there. */
export class GenerationUse {
  readonly #onIdle: (appServerGeneration: number) => void;
  readonly #uses = new Map<number, number>();

  constructor(onIdle: (appServerGeneration: number) => void) {
    this.#onIdle = onIdle;
  }

  isIdle(appServerGeneration: number): boolean {
    return !this.#uses.has(appServerGeneration);
  }

  enter(appServerGeneration: number): void {
    this.#uses.set(appServerGeneration, (this.#uses.get(appServerGeneration) ?? 0) + 1);
  }

  leave(appServerGeneration: number): void {
    const left = (this.#uses.get(appServerGeneration) ?? 1) - 1;
    if (left > 0) {
      this.#uses.set(appServerGeneration, left);
    } else {
      this.#uses.delete(appServerGeneration);
      this.#onIdle(appServerGeneration);
    }
  }
}
