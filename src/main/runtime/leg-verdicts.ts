import { brokeUnderIt, type LegOutcome } from "./pool/turn-channel.js";
import type { LegResult } from "./turn-session.js";
import type { TurnErrorCode, TurnErrorData, TurnObservation, TurnStarted } from "./types.js";

type Started<Status extends LegOutcome["status"]> = LegResult & {
  readonly started: TurnStarted;
  readonly outcome: Extract<LegOutcome, { readonly status: Status }>;
};

/** A leg as metrics see it. */
export function observe(result: LegResult, waitedMs: number): TurnObservation {
  const { outcome, started, firstEventMs, durationMs, usage } = result;
  const code = outcome.status === "failed" ? outcome.error.code : null;
  return {
    outcome: outcome.status,
    code,
    model: started?.model ?? null,
    waitedMs,
    firstEventMs,
    durationMs,
    usage,
    mayHaveAskedAgain: outcome.status === "handed_over" && outcome.mayHaveAskedAgain,
  };
}

/** The ground under the turn broke, and not the turn. */
export function isInfrastructureFault({ outcome }: LegResult): boolean {
  return brokeUnderIt(outcome);
}

/** Nothing of it was shown, so that nobody can tell whether it ran before. */
export function mayRunAgain(result: LegResult): boolean {
  return isInfrastructureFault(result) && !result.emitted && result.handlerError === undefined;
}

/** The backend refused the turn as one too many before it produced anything: it may run when there is room. Null otherwise. */
export function refusalOf({ outcome, emitted, handlerError }: LegResult): TurnErrorData | null {
  if (outcome.status !== "failed" || emitted || handlerError !== undefined) return null;
  return outcome.error.refusedFor === undefined ? null : outcome.error;
}

/** Refusals by status that may mean the prompt's form; one whose code says what it is about does not. */
const doubtfulStatuses: ReadonlySet<number> = new Set([400, 403, 404]);
const doubtfulCodes: ReadonlySet<TurnErrorCode> = new Set([
  "upstream_bad_request",
  "upstream_forbidden",
  "model_not_found",
]);

/** The backend refused the turn before the model said anything, and not for what its code says: the prompt may have the wrong form. */
export function isFormRefusal({ outcome, emitted, handlerError }: LegResult): boolean {
  if (outcome.status !== "failed" || emitted || handlerError !== undefined) return false;
  const { code, upstreamStatus } = outcome.error;
  return doubtfulCodes.has(code) && (upstreamStatus === undefined || doubtfulStatuses.has(upstreamStatus));
}

/** It may go back into the queue, and has not ended before that is decided. */
export function mayBeTriedAgain(result: LegResult): boolean {
  return refusalOf(result) !== null || isFormRefusal(result);
}

/** The model had its say. */
export function hasAnswered({ outcome, emitted, handlerError }: LegResult): boolean {
  if (emitted) return true;
  return handlerError === undefined && outcome.status !== "failed" && outcome.status !== "cancelled";
}

/** The turn is still there, waiting for outputs of the caller's functions. */
export function isParked(result: LegResult): result is Started<"parked"> {
  return hasReached(result, "parked");
}

/** The turn is over as its caller wanted it, and its thread can go on. */
export function isCompleted(result: LegResult): result is Started<"completed"> {
  return hasReached(result, "completed");
}

function hasReached({ outcome, started, handlerError }: LegResult, status: LegOutcome["status"]): boolean {
  return outcome.status === status && started !== null && handlerError === undefined;
}
