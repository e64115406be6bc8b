import { createDeferred, watchLimits } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import type { Readiness, TurnPriority } from "../../runtime/types.js";
import { FairQueue, type QueueEntry } from "./fair-queue.js";
import type { LearnedLimitSeat } from "./learned-limit.js";
import { neverStarted } from "./turn-refusals.js";

/** How many turns run and wait at once, and for how long. */
export interface AdmissionOptions {
  /** Turns that may run at once. */
  readonly maxConcurrentTurns: number;
  /** Turns that may wait. */
  readonly maxQueue: number;
  /** Longest wait in the queue, in milliseconds. */
  readonly queueTimeoutMs: number;
}

/** Longest wait for a runtime that is not ready, in milliseconds: nothing of the queue moves meanwhile. */
const unreadyPatienceMs = 30_000;
const unreadyLookEveryMs = 1_000;

/** What `reconfigure` changes while turns wait and run. */
export type AdmissionBounds = AdmissionOptions;

/** One turn's part of what its account lets run. Of `accepted` and `refused` the first call counts. */
export interface AccountSeat extends Omit<LearnedLimitSeat, "refused"> {
  /** The backend refused the turn as one too many; `model`: for its model alone. */
  refused(scope: "account" | "model"): void;
  /** Whether no other turn runs that could make room. */
  isAlone(scope: "account" | "model"): boolean;
}

/** What the account behind the runtime lets run at once. */
export interface AccountRoom {
  /** False: nothing is known or learned of limits, and refusals are the callers' own. */
  readonly isLimited: boolean;
  /** For one more turn of this model. */
  hasRoom(model: string): boolean;
  /** For a turn that starts now. */
  enter(model: string): AccountSeat;
  /** How many more turns may start now, of any model. */
  free(): number;
  /** When there may be more room by time alone, in milliseconds from now; null where a turn must end first. */
  roomInMs(): number | null;
}

export interface AdmissionRequest<Place> {
  readonly caller: string;
  readonly signal: AbortSignal | undefined;
  /** Finds where it can run; null: nowhere now. Throws when it never can, and that is what the turn is refused with. */
  readonly findPlace: () => Place | null;
  /** What the place is found by: turns that need the same find one alike. Default: what any new turn needs. */
  readonly needs?: string;
  /** Whether it has a native thread already, and so a connection to the backend. Default: no. */
  readonly hasThread?: boolean;
  /** For which the account may have a limit of its own. Default: none. */
  readonly model?: string;
  /** Default `interactive`. */
  readonly priority?: TurnPriority | undefined;
  /** When the caller's own time is over, on the clock of the admission. Default: never. */
  readonly deadlineAtMs?: number | undefined;
  /** For a turn that was admitted before and could not run: it goes first, and its time counts from its first wait. */
  readonly returned?: ReturnedTurn | undefined;
}

export interface ReturnedTurn {
  readonly enqueuedAtMs: number;
  /** What it ends with when its time is over. */
  readonly error: CodexNativeApiError;
  /** How often it came back because the backend refused it. */
  readonly refusals: number;
}

/** What is known of a turn from its first wait to its end. */
interface Admitted {
  readonly enqueuedAtMs: number;
  /** As its request has it. */
  readonly model: string;
  readonly deadlineAtMs: number | undefined;
  /** As `ReturnedTurn` has it; 0 for a turn that comes for the first time. */
  readonly refusals: number;
}

export interface Permit<Place> extends Admitted {
  readonly place: Place;
  /** Time in the queue, over all waits of this turn, in milliseconds. */
  readonly waitedMs: number;
  /** The turn's part of what the account lets run. */
  readonly seat: AccountSeat;
  /** Gives place and seat back. Calling it again does nothing. */
  readonly release: () => void;
}

interface Waiting<Place> extends QueueEntry, Admitted {
  readonly needs: string;
  readonly findPlace: () => Place | null;
  readonly settle: (outcome: Permit<Place> | Refusal) => void;
}

class Refusal {
  constructor(readonly error: unknown) {}
}

/**
 * The one queue of the service. A turn leaves it only when it can start: the running count, the account, the start gate and a
 * ready worker all have room. Piscina's own queue stays empty, since a task pinned to a busy thread would hold up others there.
 */
export class Admission<Place> {
  #options: AdmissionOptions;
  readonly #readiness: () => Readiness;
  readonly #now: () => number;
  readonly #room: AccountRoom;
  readonly #queue = new FairQueue<Waiting<Place>>();
  #running = 0;
  #waitingWithThread = 0;
  #lacksPlace = false;
  #pumpScheduled = false;
  #pumpTimer: NodeJS.Timeout | undefined;
  #unreadySinceMs = 0;
  #unreadyTimer: NodeJS.Timeout | undefined;
  #closedWith: CodexNativeApiError | null = null;

  constructor(
    options: AdmissionOptions,
    readiness: () => Readiness,
    now: () => number,
    room: AccountRoom = unboundedRoom,
  ) {
    this.#options = options;
    this.#readiness = readiness;
    this.#now = now;
    this.#room = room;
  }

  get depth(): number {
    return this.#queue.size;
  }

  /** Turns that wait and have a native thread already. */
  get waitingWithThread(): number {
    return this.#waitingWithThread;
  }

  /** Whether a turn waits that the account has room for: what it lacks is a worker, the gate or a connection. */
  get lacksPlace(): boolean {
    return this.#lacksPlace;
  }

  get running(): number {
    return this.#running;
  }

  /** Turns that may run and wait in all. */
  get capacity(): number {
    const { maxConcurrentTurns, maxQueue } = this.#options;
    return maxConcurrentTurns + maxQueue;
  }

  /**
   * Waits for a place. Rejects with `queue_full`, `queue_timeout`, `turn_cancelled`, or with what readiness says when the
   * runtime does not become ready in time.
   */
  acquire(request: AdmissionRequest<Place>): Promise<Permit<Place>> {
    const { caller, signal, deadlineAtMs, returned, findPlace, needs = "", model = "" } = request;
    const refusal = this.#closedWith ?? (signal?.aborted === true ? neverStarted() : null);
    if (refusal !== null) return Promise.reject(refusal);
    const threads = request.hasThread === true ? 1 : 0;
    const enqueuedAtMs = returned?.enqueuedAtMs ?? this.#now();
    const lateError = () => returned?.error ?? this.#timeoutError(this.#now() - enqueuedAtMs);
    const queueEndMs = enqueuedAtMs + this.#options.queueTimeoutMs;
    const timeoutMs = Math.min(queueEndMs, deadlineAtMs ?? queueEndMs) - this.#now();
    if (timeoutMs <= 0) return Promise.reject(lateError());
    const permit = createDeferred<Permit<Place>>();
    const releaseLimits = watchLimits({ timeoutMs, signal }, (end) =>
      this.#fail(waiting, end === "aborted" ? neverStarted() : lateError()),
    );
    const waiting: Waiting<Place> = {
      caller,
      priority: request.priority ?? "interactive",
      pool: `${needs} ${model}`,
      needs,
      model,
      deadlineAtMs,
      findPlace,
      enqueuedAtMs,
      refusals: returned?.refusals ?? 0,
      settle: (outcome) => {
        releaseLimits();
        this.#waitingWithThread -= threads;
        if (outcome instanceof Refusal) permit.reject(outcome.error);
        else permit.resolve(outcome);
      },
    };
    this.#waitingWithThread += threads;
    if (returned === undefined) {
      this.#queue.push(waiting);
      if (this.#queue.size > this.#options.maxQueue) this.#keepBound(waiting);
    } else this.#queue.putBack(waiting, returned.refusals > 0);
    this.pump();
    return permit.promise;
  }

  /** Bounds for what comes from here on. What waits or runs already keeps its place, also beyond a smaller bound. */
  reconfigure(bounds: AdmissionBounds): void {
    this.#options = bounds;
    this.pump();
  }

  /** Starts what can start now. Call it whenever room may have appeared. */
  pump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#startWhatCan();
    });
  }

  /** Refuses all that wait and all that come. */
  close(error: CodexNativeApiError): void {
    this.#closedWith ??= error;
    this.failWaiting(error);
    clearTimeout(this.#pumpTimer);
    this.#stopUnreadyTimer();
  }

  /** Refuses those that wait now: used when waiting has become pointless. */
  failWaiting(error: CodexNativeApiError, isMeant: (waiting: Admitted) => boolean = () => true): void {
    for (const waiting of [...this.#queue]) {
      if (isMeant(waiting)) this.#fail(waiting, error);
    }
  }

  #fail(waiting: Waiting<Place>, error: CodexNativeApiError): void {
    if (this.#queue.delete(waiting)) waiting.settle(new Refusal(error));
  }

  #startWhatCan(): void {
    clearTimeout(this.#pumpTimer);
    this.#watchReadiness();
    this.#lacksPlace = false;
    // Turns on a loaded thread, for example, start while new turns lack a connection.
    const missing = new Set<string>();
    while (this.#queue.size > 0 && this.#running < this.#options.maxConcurrentTurns) {
      // Before the look: what becomes free by time between the two must not be missed.
      const roomInMs = this.#room.roomInMs();
      const waiting = this.#queue.next(
        ({ needs, model }) => !missing.has(needs) && this.#room.hasRoom(model),
      );
      if (waiting === undefined) {
        if (roomInMs !== null) this.#pumpTimer = setTimeout(() => this.pump(), roomInMs + 1);
        return;
      }
      const place = findOrRefuse(waiting.findPlace);
      if (place === null) {
        this.#lacksPlace = true;
        missing.add(waiting.needs);
        continue;
      }
      this.#queue.take(waiting);
      waiting.settle(place instanceof Refusal ? place : this.#admit(place, waiting));
    }
  }

  #watchReadiness(): void {
    if (this.#readiness().ready || this.#queue.size === 0) return this.#stopUnreadyTimer();
    if (this.#unreadyTimer !== undefined) return;
    this.#unreadySinceMs = this.#now();
    this.#unreadyTimer = setInterval(() => this.#failUnready(), unreadyLookEveryMs);
  }

  #stopUnreadyTimer(): void {
    clearInterval(this.#unreadyTimer);
    this.#unreadyTimer = undefined;
  }

  #failUnready(): void {
    const readiness = this.#readiness();
    if (readiness.ready || this.#queue.size === 0) return this.#stopUnreadyTimer();
    const sinceMs = this.#now() - unreadyPatienceMs;
    this.failWaiting(
      CodexNativeApiError.fromTurnError(readiness.error),
      ({ enqueuedAtMs }) => Math.max(this.#unreadySinceMs, enqueuedAtMs) <= sinceMs,
    );
  }

  #admit(place: Place, { enqueuedAtMs, model, deadlineAtMs, refusals }: Waiting<Place>): Permit<Place> {
    this.#running += 1;
    const seat = this.#room.enter(model);
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      this.#running -= 1;
      seat.leave();
      this.pump();
    };
    const waitedMs = this.#now() - enqueuedAtMs;
    return { place, enqueuedAtMs, waitedMs, model, deadlineAtMs, refusals, seat, release };
  }

  /** The bound is on turns that wait: several that come at once fill no place of the queue while they could start. */
  #keepBound(newcomer: Waiting<Place>): void {
    const { maxQueue } = this.#options;
    this.#startWhatCan();
    if (this.#queue.size <= maxQueue || !this.#queue.has(newcomer)) return;
    const message = `All ${maxQueue} places of the queue are taken.`;
    const full = new CodexNativeApiError("queue_full", message, { retryAfterMs: 1000 });
    this.#fail(this.#findSurplus(newcomer) ?? newcomer, full);
  }

  /** A caller that fills the queue makes room for one that waits less, and its batch for what it asks itself. */
  #findSurplus({ caller, priority }: Waiting<Place>): Waiting<Place> | undefined {
    const longest = this.#queue.longestCaller() ?? caller;
    if (this.#queue.waitingOf(caller) < this.#queue.waitingOf(longest)) return this.#queue.newestOf(longest);
    return priority === "interactive" ? this.#queue.newestOf(caller, ["background"]) : undefined;
  }

  #timeoutError(waitedMs: number): CodexNativeApiError {
    const readiness = this.#readiness();
    if (!readiness.ready) return CodexNativeApiError.fromTurnError(readiness.error);
    const message = `No place became free within ${Math.round(waitedMs)} ms.`;
    return new CodexNativeApiError("queue_timeout", message, { retryAfterMs: 1000 });
  }
}

const ignore = (): void => {};
const openSeat: AccountSeat = {
  started: ignore,
  overdue: ignore,
  accepted: ignore,
  unrefused: ignore,
  refused: ignore,
  isAlone: () => true,
  leave: ignore,
};

/** For runtimes whose backend has no limits. */
export const unboundedRoom: AccountRoom = {
  isLimited: false,
  hasRoom: () => true,
  free: () => Number.POSITIVE_INFINITY,
  enter: () => openSeat,
  roomInMs: () => null,
};

/** An error belongs to this turn alone: those behind it must not wait for it. */
function findOrRefuse<Place>(findPlace: () => Place | null): Place | Refusal | null {
  try {
    return findPlace();
  } catch (error) {
    return new Refusal(error);
  }
}
