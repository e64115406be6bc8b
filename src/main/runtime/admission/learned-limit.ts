/**
 * How many turns one account lets run at once, learned from what the backend takes and refuses. The backend announces no such
 * number, it differs by plan and hour, and going over it has a price for every caller (429 for the whole account).
 *
 * Growth follows evidence: a turn that the backend accepted while the limit was in use raises it by one (by two above 16, where
 * an account is known to take much). A refusal names a ceiling: the limit stays one short of
 * it, and single probes find out whether it still stands, ever less often while it does. A refusal at a level that
 * used to be accepted means that the account takes less than before: the limit is halved, once for all refusals of one moment,
 * and grows again from there.
 */

/** Between two probes at the ceiling, in milliseconds. It doubles with every second probe that is refused. */
const firstProbeAfterMs = 2_000;
const longestProbeAfterMs = 30_000;
/** Once the pause is at its longest, as many turns must have been accepted between two probes: 2 % of refusals at most. */
const turnsBetweenProbes = 50;
/** Above this limit an accepted turn makes room for two more. */
const fastGrowthAbove = 16;
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
  /** Never more than this. */
  readonly most: number;
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
  readonly reason: "accepted" | "probe_accepted" | "refused" | "halved" | "forgotten";
}

/** One turn's part of the limit, from its admission to its end. */
export interface LearnedLimitSeat {
  /** Codex took the turn on and asks the backend now. Before that the turn says nothing about what the account takes. */
  started(): void;
  /** The backend took the turn on. Later calls do nothing. */
  accepted(): void;
  /** The backend refused the turn as one too many. Also ends it. */
  refused(): void;
  /** The turn is over. Later calls do nothing. */
  leave(): void;
}

export class LearnedLimit {
  readonly #options: LearnedLimitOptions;
  #limit: number;
  #ceiling: number | null = null;
  /** The highest level accepted since the account last took less than before. */
  #proven = 0;
  #running = 0;
  /** Of these, how many ask the backend: the rest are still being set up. */
  #asking = 0;
  /** Counts the halvings: what started before the last one says nothing about the limit since. */
  #epoch = 0;
  #isProbing = false;
  #refusedProbes = 0;
  #probeAtMs = 0;
  #acceptedSinceProbe = 0;
  #pauseMs = firstPauseMs;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #confirmedAtMs: number;

  constructor(options: LearnedLimitOptions, known: LearnedLimitRecord | null = null) {
    this.#options = options;
    this.#limit = Math.min(options.start, options.most);
    this.#confirmedAtMs = options.wallClock();
    if (known === null || options.wallClock() - known.confirmedAtMs > forgottenAfterMs) return;
    this.#limit = Math.max(1, Math.min(known.limit, options.most));
    this.#ceiling = known.ceiling;
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
    return this.#running < this.#limit || this.#mayProbe();
  }

  /** When room may appear by time alone, in milliseconds from now; null where it takes a turn that ends. */
  roomInMs(): number | null {
    const nowMs = this.#options.now();
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs - nowMs;
    const mayProbe = this.#ceiling !== null && !this.#isProbing && this.#limit < this.#options.most;
    return mayProbe && this.#hasProbeEvidence ? Math.max(0, this.#probeAtMs - nowMs) : null;
  }

  /** Starts a turn. Call it only where `hasRoom` says so. */
  enter(): LearnedLimitSeat {
    const isProbe = this.#running >= this.#limit;
    if (isProbe) this.#isProbing = true;
    this.#running += 1;
    const epoch = this.#epoch;
    let isOpen = true;
    /** How many asked the backend, this turn included, when it began to; 0 before. */
    let level = 0;
    let isDecided = false;
    const started = () => {
      if (level > 0 || !isOpen) return;
      this.#asking += 1;
      level = this.#asking;
    };
    const decide = (note: () => void) => {
      if (isDecided) return;
      isDecided = true;
      if (isProbe) this.#isProbing = false;
      if (epoch === this.#epoch) note();
    };
    const leave = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#running -= 1;
      if (level > 0) this.#asking -= 1;
      // Cancelled, or failed for reasons of its own: a probe that says nothing.
      decide(() => {});
    };
    return {
      started,
      accepted: () => {
        started();
        // Those that ended meanwhile may have made the room.
        decide(() => this.#noteAccepted(Math.min(level, this.#asking), isProbe));
      },
      refused: () => {
        started();
        decide(() => this.#noteRefused(level, isProbe));
        leave();
      },
      leave,
    };
  }

  /** At the ceiling, one turn at a time finds out whether it still stands. */
  #mayProbe(): boolean {
    return (
      this.#ceiling !== null &&
      !this.#isProbing &&
      this.#proven >= this.#limit &&
      this.#running === this.#limit &&
      this.#limit < this.#options.most &&
      this.#hasProbeEvidence &&
      this.#options.now() >= this.#probeAtMs
    );
  }

  get #probeAfterMs(): number {
    return Math.min(firstProbeAfterMs * 2 ** Math.floor(this.#refusedProbes / 2), longestProbeAfterMs);
  }

  get #hasProbeEvidence(): boolean {
    return this.#probeAfterMs < longestProbeAfterMs || this.#acceptedSinceProbe >= turnsBetweenProbes;
  }

  #noteAccepted(level: number, isProbe: boolean): void {
    this.#confirmedAtMs = this.#options.wallClock();
    this.#pauseMs = firstPauseMs;
    if (this.#options.learns === false) return;
    this.#acceptedSinceProbe += 1;
    this.#proven = Math.max(this.#proven, level);
    if (isProbe) {
      // Others may have ended since the probe began: then it ran at a level that is known.
      if (level <= this.#limit) return;
      this.#ceiling = null;
      this.#refusedProbes = 0;
      return this.#change(level, "probe_accepted");
    }
    const isInUse = level * 2 > this.#limit;
    const step = this.#limit > fastGrowthAbove ? 2 : 1;
    const grown = Math.min(
      this.#limit + step,
      this.#options.most,
      (this.#ceiling ?? Number.POSITIVE_INFINITY) - 1,
    );
    if (isInUse && grown > this.#limit) this.#change(grown, "accepted");
  }

  #noteRefused(level: number, isProbe: boolean): void {
    const nowMs = this.#options.now();
    this.#confirmedAtMs = this.#options.wallClock();
    if (this.#options.learns === false || level === 1) {
      this.#pausedUntilMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    }
    if (this.#options.learns === false) return;
    const tookThisBefore = level <= this.#proven;
    this.#ceiling = Math.max(level, 2);
    this.#acceptedSinceProbe = 0;
    this.#refusedProbes = isProbe ? this.#refusedProbes + 1 : 0;
    this.#probeAtMs = nowMs + this.#probeAfterMs;
    const accepted = Math.max(1, level - 1);
    if (!tookThisBefore) return this.#change(Math.min(this.#limit, accepted), "refused");
    this.#epoch += 1;
    this.#proven = 0;
    this.#change(Math.ceil(accepted / 2), "halved");
  }

  #forgetIfOld(): void {
    const isOld = this.#options.wallClock() - this.#confirmedAtMs > forgottenAfterMs;
    if (!isOld || this.#ceiling === null) return;
    this.#ceiling = null;
    this.#confirmedAtMs = this.#options.wallClock();
    this.#change(Math.min(this.#options.start, this.#options.most), "forgotten");
  }

  #change(limit: number, reason: LearnedLimitChange["reason"]): void {
    const former = this.#limit;
    this.#limit = limit;
    if (limit !== former) this.#options.onChange({ limit, former, reason });
  }
}
