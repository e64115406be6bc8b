import { CodexNativeApiError } from "../../errors.js";
import type { Readiness, TurnPriority } from "../types.js";
import { FairQueue, type QueueEntry } from "./fair-queue.js";

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

/** What can be changed while turns wait and run. */
export type AdmissionBounds = Pick<AdmissionOptions, "maxConcurrentTurns" | "maxQueue" | "queueTimeoutMs">;

/** Finds a place for one turn, or answers null when nothing can start now. */
export type PlaceFinder<Place> = () => Place | null;

/** One turn's part of what its account lets run. Of `accepted` and `refused` the first call counts. */
export interface AccountSeat {
  /** Codex took the turn on and asks the backend now. */
  started(): void;
  /** Codex leaves a call that starts the turn unanswered: until it has started, it takes nobody's part. */
  overdue(): void;
  /** The backend took the turn on. */
  accepted(): void;
  /** The backend has not refused the turn for long. Whether it took it on is not known. */
  unrefused(): void;
  /** The backend refused the turn as one too many; `model`: for its model alone. */
  refused(scope: "account" | "model"): void;
  /** Whether no other turn runs that could make room. */
  isAlone(scope: "account" | "model"): boolean;
  /** The turn is over. */
  leave(): void;
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
  /** Where it can run. Throws when it never can, and that is what the turn is refused with. */
  readonly findPlace: PlaceFinder<Place>;
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

export interface Permit<Place> {
  readonly place: Place;
  readonly enqueuedAtMs: number;
  /** Time in the queue, over all waits of this turn, in milliseconds. */
  readonly waitedMs: number;
  /** As its request has it. */
  readonly model: string;
  /** As `ReturnedTurn` has it; 0 for a turn that comes for the first time. */
  readonly refusals: number;
  /** The turn's part of what the account lets run. */
  readonly seat: AccountSeat;
  /** Gives place and seat back. Calling it again does nothing. */
  readonly release: () => void;
}

/** What is known of a turn that waits. */
export interface WaitingTurn extends QueueEntry {
  readonly enqueuedAtMs: number;
  readonly model: string;
}

interface Waiting<Place> extends WaitingTurn {
  readonly needs: string;
  readonly findPlace: PlaceFinder<Place>;
  readonly refusals: number;
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
  #pumpTimer: NodeJS.Timeout | null = null;
  #unreadySinceMs = 0;
  #unreadyTimer: NodeJS.Timeout | null = null;
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

  /**
   * Waits for a place. Rejects with `queue_full`, `queue_timeout`, `turn_cancelled`, or with what readiness says when the
   * runtime does not become ready in time.
   */
  acquire(request: AdmissionRequest<Place>): Promise<Permit<Place>> {
    const refusal = this.#closedWith ?? this.#refuse(request);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const { caller, signal, deadlineAtMs, returned, needs = "", model = "" } = request;
      const threads = request.hasThread === true ? 1 : 0;
      const enqueuedAtMs = returned?.enqueuedAtMs ?? this.#now();
      const leave = (error: CodexNativeApiError) => {
        if (this.#queue.delete(waiting)) waiting.settle(new Refusal(error));
      };
      const onAbort = () => leave(cancelledInQueue());
      const queueEndMs = enqueuedAtMs + this.#options.queueTimeoutMs;
      const leftMs = Math.min(queueEndMs, deadlineAtMs ?? queueEndMs) - this.#now();
      if (leftMs <= 0) return reject(returned?.error ?? this.#timeoutError(this.#now() - enqueuedAtMs));
      const onTime = () => leave(returned?.error ?? this.#timeoutError(this.#now() - enqueuedAtMs));
      const timer = setTimeout(onTime, Math.max(0, leftMs));
      const waiting: Waiting<Place> = {
        caller,
        priority: request.priority ?? "interactive",
        pool: `${needs} ${model}`,
        needs,
        model,
        findPlace: request.findPlace,
        enqueuedAtMs,
        refusals: returned?.refusals ?? 0,
        settle: (outcome) => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
          this.#waitingWithThread -= threads;
          if (outcome instanceof Refusal) reject(outcome.error);
          else resolve(outcome);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waitingWithThread += threads;
      if (returned === undefined) this.#queue.push(waiting);
      else this.#queue.putBack(waiting, returned.refusals > 0);
      this.pump();
    });
  }

  /** Bounds for what comes from here on. What waits or runs already keeps its place, also beyond a smaller bound. */
  reconfigure(bounds: AdmissionBounds): void {
    this.#options = { ...this.#options, ...bounds };
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
    this.#clearPumpTimer();
    this.#stopUnreadyTimer();
  }

  /** Refuses those that wait now: used when waiting has become pointless. */
  failWaiting(error: CodexNativeApiError, isMeant: (waiting: WaitingTurn) => boolean = () => true): void {
    for (const waiting of [...this.#queue]) {
      if (!isMeant(waiting)) continue;
      this.#queue.delete(waiting);
      waiting.settle(new Refusal(error));
    }
  }

  #startWhatCan(): void {
    this.#clearPumpTimer();
    this.#watchReadiness();
    this.#lacksPlace = false;
    // Those that a thread waits for, say, go on while new turns lack a connection.
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
    if (this.#unreadyTimer !== null) return;
    this.#unreadySinceMs = this.#now();
    this.#unreadyTimer = setInterval(() => this.#failUnready(), unreadyLookEveryMs);
  }

  #stopUnreadyTimer(): void {
    if (this.#unreadyTimer !== null) clearInterval(this.#unreadyTimer);
    this.#unreadyTimer = null;
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

  #admit(place: Place, { enqueuedAtMs, model, refusals }: Waiting<Place>): Permit<Place> {
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
    return { place, enqueuedAtMs, waitedMs: this.#now() - enqueuedAtMs, model, refusals, seat, release };
  }

  #clearPumpTimer(): void {
    if (this.#pumpTimer !== null) clearTimeout(this.#pumpTimer);
    this.#pumpTimer = null;
  }

  #refuse({ signal, caller, priority, returned }: AdmissionRequest<Place>): CodexNativeApiError | null {
    if (signal?.aborted === true) return cancelledInQueue();
    if (returned !== undefined || this.#queue.size < this.#options.maxQueue) return null;
    const full = new CodexNativeApiError(
      "queue_full",
      `All ${this.#options.maxQueue} places of the queue are taken.`,
      { retryAfterMs: 1000 },
    );
    const surplus = this.#findSurplus(caller, priority ?? "interactive");
    if (surplus === undefined) return full;
    this.#queue.delete(surplus);
    surplus.settle(new Refusal(full));
    return null;
  }

  /** A caller that fills the queue makes room for one that waits less, and its batch for what it asks itself. */
  #findSurplus(caller: string, priority: TurnPriority): Waiting<Place> | undefined {
    const longest = this.#queue.longestCaller() ?? caller;
    if (this.#queue.waitingOf(caller) + 1 < this.#queue.waitingOf(longest))
      return this.#queue.newestOf(longest);
    return priority === "interactive" ? this.#queue.newestOf(caller, ["background"]) : undefined;
  }

  #timeoutError(waitedMs: number): CodexNativeApiError {
    const readiness = this.#readiness();
    if (!readiness.ready) return CodexNativeApiError.fromTurnError(readiness.error);
    return new CodexNativeApiError(
      "queue_timeout",
      `No place became free within ${Math.round(waitedMs)} ms.`,
      {
        retryAfterMs: 1000,
      },
    );
  }
}

const openSeat: AccountSeat = {
  started: () => {},
  overdue: () => {},
  accepted: () => {},
  unrefused: () => {},
  refused: () => {},
  isAlone: () => true,
  leave: () => {},
};

/** For runtimes whose backend has no limits. */
export const unboundedRoom: AccountRoom = {
  isLimited: false,
  hasRoom: () => true,
  free: () => Number.POSITIVE_INFINITY,
  enter: () => openSeat,
  roomInMs: () => null,
};

/** Whatever is thrown belongs to this turn: those behind it must not wait for it. */
function findOrRefuse<Place>(findPlace: PlaceFinder<Place>): Place | Refusal | null {
  try {
    return findPlace();
  } catch (error) {
    return new Refusal(error);
  }
}

function cancelledInQueue(): CodexNativeApiError {
  return new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
}
