/** How a turn ends when the worker ends it. */
import type { TurnErrorData } from "../contract/errors.js";
import type { TurnOutcome } from "../contract/turn-messages.js";

export function failWith(code: TurnErrorData["code"], message: string): TurnOutcome {
  return { status: "failed", error: { code, message } };
}

/** An infrastructure failure, not the request's fault. */
function failForNow(message: string): TurnOutcome {
  const code = "native_runtime_unavailable";
  return { status: "failed", error: { code, message, retryAfterMs: 1000, infrastructure: true } };
}

export const readerTooSlow = failWith(
  "turn_cancelled",
  "The caller read too slowly for the turn's output to be kept.",
);

/** Codex closes only unused threads, so this one was lost with its history. */
export const threadClosed = failForNow("Codex closed the native thread under its turn.");

/** While it was parked: its follow-up finds no parked turn and replays the history. */
export const heldTooMuchParked = failForNow("Codex sent more of the parked turn than is kept for it.");

/** Not infrastructure: the same request would do the same to the next worker. */
export const heldTooMuchUnstarted = failWith(
  "turn_stalled",
  "Codex sent more of the turn than is kept before it said that it had started it.",
);

/** The answer is whole, and Codex asks the model again only since the end of its call is missing. */
export const completedByBrokenCall: TurnOutcome = { status: "completed", isThreadLost: true };

export function stalled(idleTimeoutMs: number): TurnOutcome {
  return failWith(
    "turn_stalled",
    `Nothing was heard of the turn for ${idleTimeoutMs} ms, so it was given up.`,
  );
}

export const turnLost = failWith(
  "turn_stalled",
  "Codex stopped running the turn without saying how it ended.",
);

/** After so many refusals the model will not learn that it has no such tool. */
export const maxRefusedCalls = 16;

export const tooManyRefusedCalls = failWith(
  "turn_stalled",
  `The model called tools that it was not offered more than ${maxRefusedCalls} times, so the turn was given up.`,
);

/** Codex passed over the calls, so that the model has not been asked again. */
export const nothingButCalls = failWith(
  "turn_stalled",
  "The model called a tool that it was not offered and gave no answer.",
);

/** Answers of the model in one segment: Codex asks it again after a refused call, or when it announces more. */
export const maxAnswersInSegment = 128;

export const runaway = failWith(
  "turn_stalled",
  `The model went on after ${maxAnswersInSegment} answers without calling a function of the caller's, so the turn was given up.`,
);
