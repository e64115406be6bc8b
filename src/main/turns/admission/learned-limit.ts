/**
 * How many turns one account lets run at once, learned from what the backend takes and refuses. The backend announces no such
 * number, it differs by plan and hour, and going over it has a price for every caller (429 for the whole account).
 *
 * Growth follows evidence: until the first refusal each accepted turn raises a limit that is in use. A refusal names a ceiling: the
 * limit stays one short of it, and single probes find out whether it still stands, ever less often while it does. From there the limit
 * grows only by turns that were accepted while all of it was in use. A refusal at a level that used to be accepted takes one off, and
 * each further one in a row a third: what the service knows of the backend is a moment old, so that one of them may be a mistake.
 */

/** Between two probes at the ceiling, in milliseconds. It doubles with every second probe that is refused. */
const firstProbeAfterMs = 2_000;
const longestProbeAfterMs = 8_000;
/** So many probes are refused within the first minute; from then on as many turns must be accepted between two: 2 % of refusals. */
const hastyProbes = 9;
const turnsBetweenProbes = 60;
/** After a probe that was accepted and may have found the room of a turn that had just ended, in milliseconds. */
const nextProbeAfterMs = 500;
/** So many of these in a row are no chance. */
const luckyProbes = 3;
/** Before the first refusal, an accepted turn makes room for two more above this limit. */
const fastGrowthAbove = 16;
/** A turn that ended so shortly after another one started may have made the room that the other one found, in milliseconds. */
const staleMs = 250;
/** A limit that grows past its former ceiling grows twice as fast after so many turns that were accepted. */
const stepsPerDoubling = 2;
/** What is left of a limit after a second refusal in a row. */
const cutTo = 2 / 3;
/** Turns whose start hangs take nobody's part, up to so many: on a machine that is merely slow all of them may look so, and start after all. */
const mostSetAside = 8;
/** How long nothing starts after a turn was refused that ran alone, in milliseconds; doubles while that goes on. */
const firstPauseMs = 1_000;
const longestPauseMs = 15_000;
/** A limit that no turn confirmed for this long says nothing any more, in milliseconds. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;

/** What a limit knows, to be kept over a restart. */
export interface LearnedLimitRecord {
  readonly limit: number;
  /** The lowest level that was refused and not accepted since; null while none is known. */
  readonly ceiling: number | null;
  /** When the backend last confirmed it, in milliseconds of the wall clock. */
  readonly confirmedAtMs: number;
}

export interface LearnedLimitOptions {
  /** Turns at once before anything is known. */
  readonly start: number;
  /** Never more than this; it may change. */
  readonly most: () => number;
  /** False: the limit stays what it is, and a refusal only makes the account pause. Default: true. */
  readonly learns?: boolean;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly wallClock: () => number;
  /** Called with each change of the limit and why it changed. */
  readonly onChange: (change: LearnedLimitChange) => void;
}

export interface LearnedLimitChange {
  readonly limit: number;
  readonly former: number;
  readonly reason: "accepted" | "probe_accepted" | "refused" | "cut" | "forgotten";
}

/** One turn's part of the limit, from its admission to its end. */
export interface LearnedLimitSeat {
  /** Codex took the turn on and asks the backend now. Before that the turn says nothing about what the account takes. */
  started(): void;
  /** Its start hangs in Codex: until it has started it does not count. */
  overdue(): void;
  /** The backend took the turn on. Later calls do nothing. */
  accepted(): void;
  /** The backend has not refused the turn for long: it counts as one in work, and proves nothing. */
  unrefused(): void;
  /** The backend refused the turn as one too many. Also ends it. */
  refused(): void;
  /** The turn is over. Later calls do nothing. */
  leave(): void;
}

/** A turn from its admission to its end. */
interface Seat {
  readonly isProbe: boolean;
  state: "preparing" | "overdue" | "asking" | "unrefused" | "accepted" | "over";
  /** Among the turns that asked, the order in which they began to. */
  order: number;
  startedAtMs: number;
  /** Counts the drops: what began to ask before the last one says nothing about the limit since. */
  epoch: number;
  /** How many the backend has in work with this one, if it takes it: those that asked before and were not refused. */
  level: number;
}

export class LearnedLimit {
  readonly #options: LearnedLimitOptions;
  #limit: number;
  #ceiling: number | null = null;
  /** Before the first refusal nothing is known but that there is more. */
  #wasRefused = false;
  /** The highest level accepted since the account last took less than before. */
  #proven = 0;
  #running = 0;
  /** Turns whose start hangs in Codex. */
  #setAsideNow = 0;
  /** Of these, how many ask the backend: the rest are still being set up. */
  #asking = 0;
  #lastOrder = 0;
  /** Turns of which the backend has not said whether it takes them. */
  readonly #undecided = new Set<Seat>();
  #epoch = 0;
  /** Refusals in a row at levels that had been accepted. */
  #drops = 0;
  /** How often in a row the limit grew past what was its ceiling. */
  #steps = 0;
  #isProbing = false;
  #refusedProbes = 0;
  #luckyProbes = 0;
  /** An accepted probe raised the limit, and no other turn has shown yet that it was right. */
  #isDoubtful = false;
  #probeAtMs = 0;
  #acceptedSinceProbe = 0;
  #pauseMs = firstPauseMs;
  #pausedAtMs = Number.NEGATIVE_INFINITY;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #confirmedAtMs: number;

  constructor(options: LearnedLimitOptions, known: LearnedLimitRecord | null = null) {
    this.#options = options;
    this.#limit = Math.min(options.start, options.most());
    this.#confirmedAtMs = options.wallClock();
    // A clock that was wrong when it was written says nothing either.
    if (known === null || Math.abs(options.wallClock() - known.confirmedAtMs) > forgottenAfterMs) return;
    this.#limit = Math.max(1, Math.min(known.limit, options.most()));
    this.#ceiling = known.ceiling;
    this.#wasRefused = known.ceiling !== null;
    this.#confirmedAtMs = known.confirmedAtMs;
  }

  get limit(): number {
    return this.#limit;
  }

  get running(): number {
    return this.#running;
  }

  toRecord(): LearnedLimitRecord {
    return { limit: this.#limit, ceiling: this.#ceiling, confirmedAtMs: this.#confirmedAtMs };
  }

  /** Whether one more turn may start now. */
  hasRoom(): boolean {
    this.#forgetIfOld();
    if (this.#options.now() < this.#pausedUntilMs) return false;
    const beside = this.#running + Math.max(0, this.#setAsideNow - mostSetAside);
    return beside < this.#limit || (this.#canProbe && this.#options.now() >= this.#probeAtMs);
  }

  /** When room may appear by time alone, in milliseconds from now; null where it takes news of a turn. */
  roomInMs(): number | null {
    const nowMs = this.#options.now();
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs - nowMs;
    return this.#canProbe && nowMs < this.#probeAtMs ? this.#probeAtMs - nowMs : null;
  }

  /** Starts a turn. Call it only where `hasRoom` says so. */
  enter(): LearnedLimitSeat {
    const isProbe = this.#running >= this.#limit;
    if (isProbe) this.#isProbing = true;
    this.#running += 1;
    const seat: Seat = { isProbe, state: "preparing", order: 0, startedAtMs: 0, epoch: 0, level: 0 };
    return {
      started: () => this.#start(seat),
      overdue: () => this.#setAside(seat),
      accepted: () => this.#accept(seat),
      unrefused: () => this.#noteUnrefused(seat),
      refused: () => this.#refuse(seat),
      leave: () => this.#leave(seat),
    };
  }

  #setAside(seat: Seat): void {
    if (seat.state !== "preparing") return;
    seat.state = "overdue";
    this.#running -= 1;
    this.#setAsideNow += 1;
    this.#decide(seat);
  }

  #start(seat: Seat): void {
    if (seat.state !== "preparing" && seat.state !== "overdue") return;
    if (seat.state === "overdue") {
      this.#running += 1;
      this.#setAsideNow -= 1;
    }
    this.#asking += 1;
    this.#lastOrder += 1;
    seat.state = "asking";
    seat.order = this.#lastOrder;
    seat.startedAtMs = this.#options.now();
    seat.epoch = this.#epoch;
    seat.level = this.#asking;
    this.#undecided.add(seat);
  }

  #accept(seat: Seat): void {
    this.#start(seat);
    if (seat.state !== "asking" && seat.state !== "unrefused") return;
    this.#decide(seat);
    seat.state = "accepted";
    // Those before it that the backend has said nothing of may be refused yet: Codex asks again for some time before it tells.
    for (const { order } of this.#undecided) {
      if (order > seat.order) break;
      seat.level -= 1;
    }
    this.#noteAccepted(seat);
  }

  #noteUnrefused(seat: Seat): void {
    if (seat.state !== "asking") return;
    this.#decide(seat);
    seat.state = "unrefused";
  }

  #refuse(seat: Seat): void {
    this.#start(seat);
    if (seat.state === "over") return;
    // Also of one that counted as in work because it had been silent for long: it never was. Some that asked after it may have been taken in its place.
    const level = Math.max(seat.level, this.#asking);
    this.#leave(seat);
    this.#noteRefused(seat, level);
  }

  #leave(seat: Seat): void {
    const { state } = seat;
    if (state === "over") return;
    seat.state = "over";
    if (state === "overdue") {
      this.#setAsideNow -= 1;
      return;
    }
    this.#running -= 1;
    this.#decide(seat);
    if (state === "preparing") return;
    this.#asking -= 1;
    // Whether the backend ever had it in work is known only of one that was accepted.
    const sinceMs = state === "accepted" ? this.#options.now() - staleMs : Number.NEGATIVE_INFINITY;
    for (const other of this.#undecided) {
      if (other.order > seat.order && other.startedAtMs >= sinceMs) other.level -= 1;
    }
  }

  #decide(seat: Seat): void {
    this.#undecided.delete(seat);
    if (seat.isProbe) this.#isProbing = false;
  }

  /** At the ceiling, one turn at a time finds out whether it still stands. */
  get #canProbe(): boolean {
    return (
      this.#ceiling !== null &&
      !this.#isProbing &&
      this.#proven >= this.#limit &&
      this.#running === this.#limit &&
      this.#limit < this.#options.most() &&
      (this.#refusedProbes < hastyProbes || this.#acceptedSinceProbe >= turnsBetweenProbes)
    );
  }

  get #probeAfterMs(): number {
    return Math.min(firstProbeAfterMs * 2 ** Math.floor(this.#refusedProbes / 2), longestProbeAfterMs);
  }

  #noteAccepted({ isProbe, epoch, level }: Seat): void {
    this.#confirmedAtMs = this.#options.wallClock();
    this.#pauseMs = firstPauseMs;
    if (this.#options.learns === false) return;
    this.#acceptedSinceProbe += 1;
    if (epoch !== this.#epoch) return;
    if (isProbe) return this.#noteProbe(level);
    this.#proven = Math.max(this.#proven, level);
    if (level >= this.#limit) {
      this.#drops = 0;
      this.#isDoubtful = false;
    }
    if (!this.#wasRefused || this.#ceiling !== null) {
      const step = !this.#wasRefused && this.#limit > fastGrowthAbove ? 2 : 1;
      if (level * 2 > this.#limit) this.#grow(step, "accepted");
    } else if (level >= this.#limit) {
      this.#steps += 1;
      this.#refusedProbes = 0;
      this.#grow(2 ** Math.floor(this.#steps / stepsPerDoubling), "accepted");
    }
  }

  #noteProbe(level: number): void {
    this.#luckyProbes += 1;
    this.#probeAtMs = this.#options.now() + nextProbeAfterMs;
    if (level <= this.#limit && this.#luckyProbes < luckyProbes) return;
    this.#luckyProbes = 0;
    this.#ceiling = null;
    this.#isDoubtful = true;
    this.#proven = Math.max(this.#proven, this.#limit + 1);
    this.#grow(1, "probe_accepted");
  }

  #grow(by: number, reason: LearnedLimitChange["reason"]): void {
    const bound = Math.min(this.#options.most(), (this.#ceiling ?? Number.POSITIVE_INFINITY) - 1);
    const grown = Math.min(this.#limit + by, bound);
    if (grown > this.#limit) this.#change(grown, reason);
  }

  #noteRefused({ isProbe, epoch, startedAtMs }: Seat, level: number): void {
    const nowMs = this.#options.now();
    this.#confirmedAtMs = this.#options.wallClock();
    // All refusals of one moment make one pause.
    if ((this.#options.learns === false || level === 1) && startedAtMs >= this.#pausedAtMs) {
      this.#pausedAtMs = nowMs;
      this.#pausedUntilMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    }
    if (this.#options.learns === false) return;
    const tookThisBefore = level <= this.#proven && epoch === this.#epoch;
    this.#wasRefused = true;
    this.#steps = 0;
    this.#luckyProbes = 0;
    this.#acceptedSinceProbe = 0;
    if (isProbe) this.#refusedProbes += 1;
    this.#ceiling = Math.max(2, Math.min(level, this.#ceiling ?? level));
    const accepted = Math.max(1, level - 1);
    if (tookThisBefore) this.#drop(accepted);
    else this.#change(Math.min(this.#limit, accepted), "refused");
    this.#probeAtMs = nowMs + this.#probeAfterMs;
  }

  /** The account takes less than it did. */
  #drop(accepted: number): void {
    this.#epoch += 1;
    this.#drops += 1;
    this.#proven = Math.min(this.#proven, accepted);
    if (!this.#isDoubtful) this.#refusedProbes = 0;
    this.#isDoubtful = false;
    if (this.#drops === 1) return this.#change(Math.min(this.#limit, accepted), "refused");
    this.#change(Math.min(this.#limit, Math.ceil(accepted * cutTo)), "cut");
  }

  #forgetIfOld(): void {
    const isOld = this.#options.wallClock() - this.#confirmedAtMs > forgottenAfterMs;
    if (!isOld || this.#ceiling === null) return;
    this.#ceiling = null;
    this.#wasRefused = false;
    this.#confirmedAtMs = this.#options.wallClock();
    this.#change(Math.min(this.#options.start, this.#options.most()), "forgotten");
  }

  #change(limit: number, reason: LearnedLimitChange["reason"]): void {
    const former = this.#limit;
    this.#limit = limit;
    if (limit !== former) this.#options.onChange({ limit, former, reason });
  }
}
