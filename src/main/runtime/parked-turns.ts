export interface ParkedTurnsOptions {
  /** A turn parked for longer is given up, in milliseconds. */
  readonly ttlMs: number;
  /** Beyond so many the one that was parked first is given up. */
  readonly maxTurns: number;
}

/** What parking asks of a session: whose it is, and that it can be given up. */
interface OwnedSession {
  /** Null: nobody's, so that everybody may answer its calls. */
  readonly owner: string | null;
  cancel(): void;
}

interface ParkedTurn<Session> {
  readonly session: Session;
  readonly callIds: ReadonlySet<string>;
  readonly timer: NodeJS.Timeout;
}

/** Turns whose model waits for outputs of the caller's functions, by native turn id. */
export class ParkedTurns<Session extends OwnedSession> {
  readonly #options: ParkedTurnsOptions;
  readonly #onAbandoned: (session: Session) => void;
  readonly #turns = new Map<string, ParkedTurn<Session>>();

  /** `onAbandoned` hears of each parked turn that was given up, not of those taken out to go on. */
  constructor(options: ParkedTurnsOptions, onAbandoned: (session: Session) => void) {
    this.#options = options;
    this.#onAbandoned = onAbandoned;
  }

  get size(): number {
    return this.#turns.size;
  }

  park(turnId: string, session: Session, callIds: readonly string[]): void {
    if (this.#turns.size >= this.#options.maxTurns) this.abandonOldest();
    const timer = setTimeout(() => this.abandon(turnId), this.#options.ttlMs);
    timer.unref();
    this.#turns.set(turnId, { session, callIds: new Set(callIds), timer });
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
   * Takes a turn out to go on with it, or answers null when it is not parked. A turn whose calls are not answered exactly is
   * given up: what the caller has in mind is another history.
   */
  take(turnId: string, callIds: readonly string[]): Session | null {
    const parked = this.#turns.get(turnId);
    if (parked === undefined) return null;
    const answered = new Set(callIds);
    const exact =
      answered.size === parked.callIds.size && callIds.every((callId) => parked.callIds.has(callId));
    if (!exact) {
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

  /** Gives up the one that was parked first; false where there is none. */
  abandonOldest(): boolean {
    const [oldest] = this.#turns.keys();
    if (oldest !== undefined) this.abandon(oldest);
    return oldest !== undefined;
  }

  abandonAll(): void {
    for (const turnId of [...this.#turns.keys()]) this.abandon(turnId);
  }

  #remove(turnId: string, parked: ParkedTurn<Session>): void {
    clearTimeout(parked.timer);
    this.#turns.delete(turnId);
  }
}
