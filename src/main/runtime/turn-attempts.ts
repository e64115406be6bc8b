import type { AccountStanding } from "./account-standing.js";
import type { Admission, Permit } from "./admission/admission.js";
import type { IsolatedTurnsContext } from "./isolated-turns-context.js";
import { isInfrastructureFault, isParked, mayBeTriedAgain, observe } from "./leg-verdicts.js";
import type { NativeConnections } from "./native-connections.js";
import type { SpareThreads } from "./spare-threads.js";
import type { Assignment, WantedTurn } from "./turn-assignment.js";
import type { Place, TurnPlaces } from "./turn-places.js";
import { type Leg, type LegResult, type LegStanding, TurnSession } from "./turn-session.js";
import type { IsolatedTurnHandlers } from "./types.js";

interface TurnAttemptsContext
  extends Pick<IsolatedTurnsContext, "slots" | "describeTarget" | "observer" | "logger" | "onThreadStarted"> {
  readonly admission: Admission<Place>;
  readonly account: AccountStanding;
  readonly connections: NativeConnections;
  readonly places: TurnPlaces;
  readonly spares: SpareThreads;
  /** Ceiling of one leg, in milliseconds. */
  readonly timeoutMs: () => number;
  /** A leg is over, and still has its place. */
  readonly onLegEnded: (result: LegResult, session: TurnSession) => void;
  /** The last turn on an app-server of this generation is over, parked ones included. */
  readonly onGenerationIdle: (appServerGeneration: number) => void;
  readonly onIdle: () => void;
}

/** One admitted turn. */
interface Attempt {
  readonly wanted: WantedTurn;
  readonly permit: Permit<Place>;
  readonly handlers: IsolatedTurnHandlers;
  /** What to run, on the spare thread where there is one. */
  readonly assign: (spareThreadId: string | null) => Assignment;
}

/** Runs turns that have a place, gives the place back whatever happens, and counts what runs on which app-server. */
export class TurnAttempts {
  readonly #context: TurnAttemptsContext;
  readonly #use: GenerationUse;

  constructor(context: TurnAttemptsContext) {
    this.#context = context;
    this.#use = new GenerationUse(context.onGenerationIdle);
  }

  /** Whatever `assign` or the turn throws, the place is given back. */
  async run({ wanted, permit, handlers, assign }: Attempt): Promise<{
    readonly result: LegResult;
    readonly session: TurnSession;
  }> {
    const { spares, connections, account, onThreadStarted } = this.#context;
    const { gatePlace, spare, lacksInstructions } = permit.place;
    let unused = spare;
    try {
      const spareThreadId = spare === null ? null : await spares.claim({ spare, lacksInstructions });
      // What cannot be had is given back already.
      if (spareThreadId === null) unused = null;
      const assignment = assign(spareThreadId);
      const session = this.#begin(wanted, permit, assignment);
      if (session.begun) unused = null;
      const isFresh = assignment.nativeThread.kind === "fresh";
      if (isFresh) connections.noteOpened();
      const result = await this.#count(session, permit.waitedMs, () => session.run(handlers));
      if (result.started !== null && isFresh) onThreadStarted(generationOf(session));
      account.noteVerdict(result, permit);
      return { result, session };
    } finally {
      if (unused !== null) spares.discard(unused);
      gatePlace.leave();
      this.#leave(permit);
    }
  }

  /** The leg of a turn that was parked. */
  async resume(
    session: TurnSession,
    permit: Permit<Place>,
    run: (leg: Pick<Leg, "queue" | "standing">) => Promise<LegResult>,
  ): Promise<LegResult> {
    try {
      const { waitedMs, refusals } = permit;
      const leg = { queue: { waitedMs, refusals }, standing: this.#standingOf(permit) };
      const result = await this.#count(session, waitedMs, () => run(leg));
      this.#context.account.noteVerdict(result, permit);
      return result;
    } finally {
      this.#leave(permit);
    }
  }

  /** A parked turn is taken out to go on, or given up. */
  leaveParked(session: TurnSession): void {
    this.#use.leave(generationOf(session));
  }

  /** Whether no turn runs or is parked on app-servers of this generation. */
  isIdle(appServerGeneration: number): boolean {
    return this.#use.isIdle(appServerGeneration);
  }

  /** Tells the observer. A turn that goes back to the queue has not ended. */
  observe(result: LegResult, waitedMs: number): void {
    const { observer, logger } = this.#context;
    try {
      observer?.onTurnEnded(observe(result, waitedMs));
    } catch (error) {
      // A host's observer, which must not throw, costs no turn.
      logger.error({ event: "turn.observer_failed", err: error }, "the observer threw");
    }
  }

  #begin(wanted: WantedTurn, permit: Permit<Place>, assignment: Assignment): TurnSession {
    const { place, waitedMs, refusals } = permit;
    const { slots, describeTarget, timeoutMs, connections } = this.#context;
    const { slot, gatePlace } = place;
    return new TurnSession(slots.pool, {
      assignment,
      slot,
      target: describeTarget(slot),
      owner: wanted.owner,
      caller: wanted.caller,
      queue: { waitedMs, refusals },
      timeoutMs: timeoutMs(),
      deadlineAtMs: wanted.deadlineAtMs,
      onLeftGate: () => {
        gatePlace.leave();
        this.#onGateMoved();
      },
      standing: this.#standingOf(permit),
      onNotice: (notice) => {
        if (notice === "connection_refused") return connections.noteRefused();
        gatePlace.noteOverdue();
        permit.seat.overdue();
        this.#onGateMoved();
      },
    });
  }

  /** Each leg has a seat of its own. */
  #standingOf({ seat }: Permit<Place>): LegStanding {
    return {
      started: () => seat.started(),
      accepted: () => {
        seat.accepted();
        this.#context.admission.pump();
        this.#context.spares.refill();
      },
      unrefused: () => {
        seat.unrefused();
        this.#context.admission.pump();
      },
    };
  }

  async #count(session: TurnSession, waitedMs: number, run: () => Promise<LegResult>): Promise<LegResult> {
    const generation = generationOf(session);
    this.#use.enter(generation);
    try {
      const result = await run();
      if (isInfrastructureFault(result)) this.#context.places.markSuspects(session.slot);
      // Until it is taken out again, or given up.
      if (isParked(result)) this.#use.enter(generation);
      this.#context.onLegEnded(result, session);
      if (!mayBeTriedAgain(result)) this.observe(result, waitedMs);
      return result;
    } finally {
      this.#use.leave(generation);
    }
  }

  #onGateMoved(): void {
    this.#context.admission.pump();
    this.#context.spares.refillSoon();
  }

  #leave({ release }: Permit<Place>): void {
    const { spares, admission, onIdle } = this.#context;
    release();
    spares.refill();
    if (admission.running === 0) onIdle();
  }
}

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
