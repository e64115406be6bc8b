import type { AccountStanding, TurnedAway } from "./account-standing.js";
import type { Admission, AdmissionRequest, Permit } from "./admission/admission.js";
import type { IsolatedTurnsContext } from "./isolated-turns-context.js";
import { orRefuse, type WantedTurn } from "./turn-assignment.js";
import { noSpare, type Place } from "./turn-places.js";
import { noRoomInTime, notReady, shuttingDown } from "./turn-refusals.js";
import type { TurnSession } from "./turn-session.js";
import type { TurnTerms } from "./types.js";

/** How a turn looks for its place. */
export type Search = Pick<AdmissionRequest<Place>, "findPlace" | "needs" | "hasThread">;

export interface TurnAdmissionContext extends Pick<IsolatedTurnsContext, "readiness" | "chooseModel"> {
  readonly admission: Admission<Place>;
  readonly account: AccountStanding;
  /** Turns have been told to end. */
  readonly isClosed: () => boolean;
  readonly now: () => number;
}

/** Has turns wait for what lets them run: a runtime that is ready, a plan with room, and a place. */
export class TurnAdmission {
  readonly #context: TurnAdmissionContext;

  constructor(context: TurnAdmissionContext) {
    this.#context = context;
  }

  async acquire(
    wanted: WantedTurn,
    signal: AbortSignal,
    search: Search,
    returned?: TurnedAway,
  ): Promise<Permit<Place>> {
    const { readiness, account, chooseModel } = this.#context;
    if (readiness.phase === "blocked" || readiness.phase === "stopped") throw notReady(readiness.current);
    await account.requireOpenWindow();
    const { caller, priority, deadlineAtMs } = wanted;
    // The model, as far as it can be chosen yet: the catalog may not have been read.
    const isReady = readiness.phase === "ready";
    const model = isReady ? orRefuse(wanted, () => chooseModel(wanted.model)) : (wanted.model ?? "");
    const findPlace = () => orRefuse(wanted, search.findPlace);
    const terms = { caller, priority, deadlineAtMs, model, signal, returned };
    return this.#wait({ ...search, ...terms, findPlace });
  }

  /** For a parked turn that goes on: it asks the backend again, so it needs room there. Its thread and its worker it has. */
  async acquireAgain(session: TurnSession, signal: AbortSignal, terms: TurnTerms): Promise<Permit<Place>> {
    const { assignment, caller, slot } = session;
    const { thread } = assignment;
    const place: Place = { slot, thread, gatePlace: noGate, ...noSpare };
    const search: Search = { findPlace: () => place, needs: "nothing", hasThread: true };
    const returned = { enqueuedAtMs: this.#context.now(), error: noRoomInTime(), refusals: 0 };
    const { model } = thread;
    try {
      return await this.#wait({ ...terms, ...search, caller, model, signal, returned });
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
}

const noGate = { leave: () => {}, noteOverdue: () => {} };
