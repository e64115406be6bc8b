import { type WaitEnd, waitWithin } from "../../workers/contract/wait.js";
import type { TurnErrorData } from "../runtime/types.js";
import type { IsolatedTurnsContext } from "./isolated-turns-context.js";
import { loginRefusalOf } from "./segment-verdicts.js";
import type { EndedSegment, TurnAttempts } from "./turn-attempts.js";
import type { SegmentResult } from "./turn-session.js";

interface LoginRefusalsContext extends Pick<IsolatedTurnsContext, "takeOverLogin"> {
  readonly attempts: Pick<TurnAttempts, "observe">;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

const advice = "Run `codex login` on this machine; the service notices by itself.";

const replaced: TurnErrorData = {
  code: "native_runtime_unavailable",
  message:
    "Another Codex refreshed the login while the turn ran. The service has the new one: send the request again.",
  retryAfterMs: 1_000,
};
const notReplaced: TurnErrorData = {
  code: "native_runtime_unavailable",
  message:
    "Another Codex refreshed the login while the turn ran, and no app-server could be started with the new one.",
  retryAfterMs: 5_000,
};
const tooLate: TurnErrorData = {
  code: "turn_timeout",
  message: "The turn did not finish within the time that its caller gave it.",
};

/**
 * What becomes of turns that the backend refused for their login. Where only the app-server's copy of it is bad, that is a failure of the
 * infrastructure, after which a turn that has shown nothing is run again; where the login itself is, the caller is told to log in.
 */
export class LoginRefusals {
  readonly #context: LoginRefusalsContext;

  constructor(context: LoginRefusalsContext) {
    this.#context = context;
  }

  /**
   * The segment as it is to end, once the app-server with the newer login is there. Other ends are passed through at once. `isLast`: the turn
   * has been refused with every login that the file had meanwhile, so that no newer one helps.
   */
  async judge(ended: EndedSegment, signal: AbortSignal, isLast: boolean): Promise<EndedSegment> {
    const { result, session, permit } = ended;
    const refusal = loginRefusalOf(result);
    if (refusal === null) return ended;
    const { takeOverLogin, attempts, now } = this.#context;
    const { deadlineAtMs } = permit;
    const timeoutMs = deadlineAtMs === undefined ? undefined : Math.max(0, deadlineAtMs - now());
    const takeover = takeOverLogin(session.target.appServerGeneration);
    const found = await waitWithin(takeover, { signal, timeoutMs }, (end) => end);
    if (found === "refused" || (found === "replaced" && isLast)) {
      const error = { ...refusal, message: `${refusal.message} ${advice}` };
      return { ...ended, result: { ...result, outcome: { status: "failed", error } } };
    }
    const judged =
      found === "aborted" || found === "timeout"
        ? stopped(result, found)
        : session.blameInfrastructure(result, found === "replaced" ? replaced : notReplaced);
    const as = { ...ended, result: judged };
    attempts.observe(as);
    return as;
  }
}

/** The caller left, or its time was over, before the login was known to be good or bad. */
function stopped(result: SegmentResult, by: WaitEnd): SegmentResult {
  return {
    ...result,
    outcome: by === "aborted" ? { status: "cancelled" } : { status: "failed", error: tooLate },
  };
}
