import { watchLimits } from "../../../workers/contract/wait.js";

export interface ParkedTurnsOptions {
  /** A turn parked for longer is abandoned, in milliseconds. */
  readonly ttlMs: number;
  /** Beyond so many the turn that was parked first is abandoned. */
  readonly maxTurns: number;
}

/** What parking needs of a session. */
interface OwnedSession {
  /** Who may answer its calls; null: any caller. */
  readonly owner: string | null;
  cancel(): void;
}

interface ParkedTurn<Session> {
  readonly session: Session;
  readonly callIds: ReadonlySet<string>;
  readonly stopTimer: () => void;
}

/** Turns whose model waits for outputs of the caller's functions, by native turn id. */
export class ParkedTurns<Session extends OwnedSession> {
  readonly #options: ParkedTurnsOptions;
  readonly #onAbandoned: (session: Session) => void;
  readonly #turns = new Map<string, ParkedTurn<Session>>();

  /** `onAbandoned` is called for each parked turn that is abandoned, not for those that are resumed. */
  constructor(options: ParkedTurnsOptions, onAbandoned: (session: Session) => void) {
    this.#options = options;
    this.#onAbandoned = onAbandoned;
  }

  get size(): number {
    return this.#turns.size;
  }

  park(turnId: string, session: Session, callIds: readonly string[]): void {
    if (this.#turns.size >= this.#options.maxTurns) this.abandonOldest();
    const limits = { timeoutMs: this.#options.ttlMs, unref: true };
    const stopTimer = watchLimits(limits, () => this.abandon(turnId));
    this.#turns.set(turnId, { session, callIds: new Set(callIds), stopTimer });
  }

  /** The owner's parked turn that waits for an output of one of these calls, or null. */
  find(callIds: readonly string[], owner: string | null): string | null {
    for (const [turnId, parked] of this.#turns) {
      if (parked.session.owner !== null && parked.session.owner !== owner) continue;
      if (callIds.some((callId) => parked.callIds.has(callId))) return turnId;
    }
    return null;
  }

  /**
   * Takes a turn out to resume it, or answers null when it is not parked. A turn whose calls are not answered exactly is
   * abandoned: its caller continues another history.
   */
  take(turnId: string, callIds: readonly string[]): Session | null {
    const parked = this.#turns.get(turnId);
    if (parked === undefined) return null;
    const answered = new Set(callIds);
    if (answered.size !== parked.callIds.size || !callIds.every((callId) => parked.callIds.has(callId))) {
      this.abandon(turnId);
      return null;
    }
    this.#remove(turnId, parked);
    return parked.session;
  }

  abandon(turnId: string): void {
    const parked = this.#turns.get(turnId);
    if (parked === undefined) return;
    this.#remove(turnId, parked);
    parked.session.cancel();
    this.#onAbandoned(parked.session);
  }

  /** Abandons the turn that was parked first; false where there is none. */
  abandonOldest(): boolean {
    const [oldest] = this.#turns.keys();
    if (oldest !== undefined) this.abandon(oldest);
    return oldest !== undefined;
  }

  abandonAll(): void {
    for (const turnId of [...this.#turns.keys()]) this.abandon(turnId);
  }

  #remove(turnId: string, parked: ParkedTurn<Session>): void {
    parked.stopTimer();
    this.#turns.delete(turnId);
  }
}
