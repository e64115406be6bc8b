import type { TurnErrorCode, TurnErrorData, TurnObservation, TurnStarted } from "../runtime/types.js";
import type { SegmentOutcome, SegmentResult } from "./turn-session.js";

type Started<Status extends SegmentOutcome["status"]> = SegmentResult & {
  readonly started: TurnStarted;
  readonly outcome: Extract<SegmentOutcome, { readonly status: Status }>;
};

/** A segment as metrics see it. */
export function observe(
  result: SegmentResult,
  { waitedMs, owner }: Pick<TurnObservation, "waitedMs" | "owner">,
): TurnObservation {
  const { outcome, started, firstEventMs, durationMs, usage } = result;
  const code = outcome.status === "failed" ? outcome.error.code : null;
  return {
    outcome: outcome.status,
    code,
    model: started?.model ?? null,
    owner,
    waitedMs,
    firstEventMs,
    durationMs,
    usage,
    mayHaveAskedAgain: outcome.status === "handed_over" && outcome.mayHaveAskedAgain,
  };
}

/** What failed before the model put anything out, and not by the caller's code; null for other ends. */
function unseenError({ outcome, emitted, handlerError }: SegmentResult): TurnErrorData | null {
  return outcome.status === "failed" && !emitted && handlerError === undefined ? outcome.error : null;
}

/** Infrastructure failed before the caller saw anything: running the turn again cannot be told from a first run. */
export function mayRunAgain(result: SegmentResult): boolean {
  return unseenError(result)?.infrastructure === true;
}

/** The backend refused the turn as one too many before it produced anything: it may run when there is room. Null otherwise. */
export function refusalOf(result: SegmentResult): TurnErrorData | null {
  const error = unseenError(result);
  return error?.refusedFor === undefined ? null : error;
}

/** Refusals by status that may mean the prompt's form; one whose code says what it is about does not. */
const doubtfulStatuses: ReadonlySet<number> = new Set([400, 403, 404]);
const doubtfulCodes: ReadonlySet<TurnErrorCode> = new Set([
  "upstream_bad_request",
  "upstream_forbidden",
  "model_not_found",
]);

/** The backend refused the turn before the model said anything, and not for what its code says: the prompt may have the wrong form. */
export function isFormRefusal(result: SegmentResult): boolean {
  const error = unseenError(result);
  if (error === null || !doubtfulCodes.has(error.code)) return false;
  return error.upstreamStatus === undefined || doubtfulStatuses.has(error.upstreamStatus);
}

/** The turn was refused for its login, whether it had shown anything or not; null for other ends. */
export function loginRefusalOf({ outcome, handlerError }: SegmentResult): TurnErrorData | null {
  if (outcome.status !== "failed" || handlerError !== undefined) return null;
  return outcome.error.code === "native_login_required" ? outcome.error : null;
}

/** What the turn ends with, or whether it goes back into the queue, is not decided yet. */
export function mayBeTriedAgain(result: SegmentResult): boolean {
  return refusalOf(result) !== null || isFormRefusal(result) || loginRefusalOf(result) !== null;
}

/** The model answered, at least in part. */
export function hasAnswered({ outcome, emitted, handlerError }: SegmentResult): boolean {
  if (emitted) return true;
  return handlerError === undefined && outcome.status !== "failed" && outcome.status !== "cancelled";
}

/**
 * Whether the segment ended so, and not by the caller's code. `parked`: the turn waits for outputs of the caller's functions;
 * `completed`: its thread can be continued.
 */
export function hasReached<Status extends SegmentOutcome["status"]>(
  result: SegmentResult,
  status: Status,
): result is Started<Status> {
  return result.outcome.status === status && result.started !== null && result.handlerError === undefined;
}
