import { CodexNativeApiError } from "../errors.js";
import type { TurnErrorData } from "../runtime/types.js";
import type { Admission, Permit, ReturnedTurn } from "./admission/admission.js";
import type { IsolatedTurnsContext } from "./isolated-turns-context.js";
import { refusalOf } from "./segment-verdicts.js";
import type { SegmentResult } from "./turn-session.js";

/** How long a turn that the backend refuses while nothing else runs is tried again, in milliseconds. */
const refusedAlonePatienceMs = 10_000;
/** While the plan is used up and callers come, in milliseconds. */
const windowReadEveryMs = 30_000;
/** When to come again where that is not known, in milliseconds. */
const unknownResetMs = 60_000;
/** The backend's clock is not ours: a turn that is a moment early is refused, in milliseconds. */
const clockToleranceMs = 250;

/** A turn on its way back to the queue. */
export interface TurnedAway extends ReturnedTurn {
  /** Since when it was refused although no other turn ran; null where others ran the last time. */
  readonly aloneSinceMs: number | null;
}

interface AccountStandingContext extends Pick<IsolatedTurnsContext, "room" | "windowOpensInMs" | "logger"> {
  readonly failWaiting: Admission<unknown>["failWaiting"];
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** What the account takes now, as its refusals show, and what becomes of the turns that it refuses. */
export class AccountStanding {
  readonly #context: AccountStandingContext;
  /**
   * When the plan's window opens, once a turn found it used up. Until then every turn is refused at once with the time that is left,
   * since the backend would refuse it too. It opens by time, or as soon as Codex reports room again (credits, a reset of the plan).
   */
  #opensAtMs = Number.NEGATIVE_INFINITY;
  /** The backend's own words, which every refused caller gets. */
  #usedUpMessage = "";
  #windowReadAtMs = Number.NEGATIVE_INFINITY;
  /** When Codex last knew of no window that is used up, although a turn was refused for one. */
  #resetUnknownAtMs = Number.NEGATIVE_INFINITY;
  /** Under way, for all who ask meanwhile. */
  #windowReading: Promise<void> = Promise.resolve();

  constructor(context: AccountStandingContext) {
    this.#context = context;
  }

  /**
   * While the plan is used up the backend is asked only whether it still is, and that now and then.
   *
   * @throws CodexNativeApiError `usage_limit_reached`
   */
  async requireOpenWindow(): Promise<void> {
    const nowMs = this.#context.now();
    if (nowMs >= this.#opensAtMs) return;
    if (nowMs - this.#windowReadAtMs >= windowReadEveryMs) {
      this.#windowReadAtMs = nowMs;
      this.#windowReading = this.#readWindow();
    }
    await this.#windowReading;
    const retryAfterMs = this.#opensAtMs - this.#context.now();
    if (retryAfterMs <= 0) return;
    throw new CodexNativeApiError("usage_limit_reached", this.#usedUpMessage, { retryAfterMs });
  }

  /** Codex reported the plan's windows. A turn finds out that one is used up; until when may become known later, or change. */
  noteWindow(opensInMs: number | null): void {
    if (opensInMs !== null) this.#resetUnknownAtMs = Number.NEGATIVE_INFINITY;
    if (opensInMs === null) this.#opensAtMs = Number.NEGATIVE_INFINITY;
    else if (this.#context.now() < this.#opensAtMs) this.#closeWindowFor(opensInMs);
  }

  #closeWindowFor(opensInMs: number): void {
    this.#opensAtMs = this.#context.now() + opensInMs + clockToleranceMs;
  }

  async #readWindow(): Promise<void> {
    this.noteWindow(await this.#context.windowOpensInMs({ fresh: true }));
  }

  /** What the end of a turn says about how many the account takes. */
  noteVerdict(result: SegmentResult, { seat }: Pick<Permit<unknown>, "seat">): void {
    const refusal = refusalOf(result);
    if (refusal !== null) seat.refused(refusal.refusedFor ?? "account");
    else if (result.emitted || result.outcome.status === "completed") seat.accepted();
  }

  /**
   * A turn that the backend refused before it showed anything goes back to the head of its caller's line, and runs when there is
   * room. One that is refused while no other turn runs would wait for room that is there already, so its patience is short.
   * Undefined: it ends as it did.
   */
  async turnAway(
    result: SegmentResult,
    { enqueuedAtMs, model, seat }: Pick<Permit<unknown>, "enqueuedAtMs" | "model" | "seat">,
    former: TurnedAway | undefined,
  ): Promise<TurnedAway | undefined> {
    const refusal = refusalOf(result);
    if (refusal === null || !this.#context.room.isLimited) return undefined;
    const { now, room, logger } = this.#context;
    const nowMs = now();
    const scope = refusal.refusedFor ?? "account";
    const aloneSinceMs = seat.isAlone(scope) ? (former?.aloneSinceMs ?? nowMs) : null;
    const roomInMs = room.roomInMs() ?? 0;
    const error = CodexNativeApiError.fromTurnError(await this.withRetryTime(refusal));
    if (aloneSinceMs !== null && nowMs + roomInMs - aloneSinceMs > refusedAlonePatienceMs) {
      // Each of them would be tried for nothing, one after the other.
      this.#context.failWaiting(
        error,
        (waiting) =>
          (scope === "account" || waiting.model === model) &&
          nowMs - waiting.enqueuedAtMs >= refusedAlonePatienceMs,
      );
      return undefined;
    }
    logger.debug({ event: "turn.turned_away", refusedFor: refusal.refusedFor }, refusal.message);
    return { enqueuedAtMs, error, aloneSinceMs, refusals: (former?.refusals ?? 0) + 1 };
  }

  /**
   * Adds when to retry. Codex reports a used-up plan without the time of its reset, and drops the `Retry-After` of other refusals: the
   * plan's windows have the former, the account's learned limits the latter.
   */
  async withRetryTime(error: TurnErrorData): Promise<TurnErrorData> {
    if (error.code === "usage_limit_reached") return this.#closeWindow(error);
    if (error.refusedFor === undefined || error.retryAfterMs !== undefined) return error;
    const retryAfterMs = this.#context.room.roomInMs();
    return retryAfterMs === null || retryAfterMs === 0 ? error : { ...error, retryAfterMs };
  }

  /** Asks Codex where nothing is known, and not again for some time: other refusals of the kind follow at once. */
  async #readReset(): Promise<number | null> {
    const nowMs = this.#context.now();
    if (nowMs - this.#resetUnknownAtMs < windowReadEveryMs) return null;
    const opensInMs = await this.#context.windowOpensInMs({ fresh: false });
    if (opensInMs === null) this.#resetUnknownAtMs = nowMs;
    return opensInMs;
  }

  /** A window that is used up is used up for every caller. Where none is known to be, it was this turn's model or budget alone. */
  async #closeWindow(error: TurnErrorData): Promise<TurnErrorData> {
    const retryAfterMs = await this.#readReset();
    if (retryAfterMs === null) return { ...error, retryAfterMs: unknownResetMs };
    if (!this.#context.room.isLimited) return { ...error, retryAfterMs };
    this.#usedUpMessage = error.message;
    this.#closeWindowFor(retryAfterMs);
    const closed = { ...error, retryAfterMs };
    this.#context.failWaiting(CodexNativeApiError.fromTurnError(closed));
    return closed;
  }
}
