/** How a turn ends when it is this side that ends it. */
import type { TurnOutcome } from "../contract/turn-messages.js";

export const readerTooSlow: TurnOutcome = {
  status: "failed",
  error: { code: "turn_cancelled", message: "The caller read too slowly for the turn's output to be kept." },
};

/** Only what nobody uses is closed, so this thread was lost with its history. */
export const threadClosed: TurnOutcome = {
  status: "failed",
  error: {
    code: "native_runtime_unavailable",
    message: "Codex closed the native thread under its turn.",
    retryAfterMs: 1000,
    infrastructure: true,
  },
};

/** While it was parked: its follow-up finds it gone and replays the history. */
export const heldTooMuchParked: TurnOutcome = {
  status: "failed",
  error: {
    code: "native_runtime_unavailable",
    message: "Codex sent more of the parked turn than is kept for it.",
    retryAfterMs: 1000,
    infrastructure: true,
  },
};

/** Not infrastructure: the same request would do the same to the next worker. */
export const heldTooMuchUnstarted: TurnOutcome = {
  status: "failed",
  error: {
    code: "turn_stalled",
    message: "Codex sent more of the turn than is kept before it said that it had started it.",
  },
};

export function stalled(idleTimeoutMs: number): TurnOutcome {
  const message = `Nothing was heard of the turn for ${idleTimeoutMs} ms, so it was given up.`;
  return { status: "failed", error: { code: "turn_stalled", message } };
}

export const turnLost: TurnOutcome = {
  status: "failed",
  error: {
    code: "turn_stalled",
    message: "Codex stopped running the turn without saying how it ended.",
  },
};

/** A model that is told so often that it has no such tool will not find it out. */
export const maxRefusedCalls = 16;

export const tooManyRefusedCalls: TurnOutcome = {
  status: "failed",
  error: {
    code: "turn_stalled",
    message: `The model called tools that it was not offered more than ${maxRefusedCalls} times, so the turn was given up.`,
  },
};

/** Codex passed over the calls, so that the model has not been asked again. */
export const nothingButCalls: TurnOutcome = {
  status: "failed",
  error: {
    code: "turn_stalled",
    message: "The model called a tool that it was not offered and gave no answer.",
  },
};

/** Answers of the model between two words of the caller's: Codex asks it again after a refused call, or when it says that it goes on. */
export const maxAnswersInLeg = 128;

export const runaway: TurnOutcome = {
  status: "failed",
  error: {
    code: "turn_stalled",
    message: `The model went on after ${maxAnswersInLeg} answers without calling a function of the caller's, so the turn was given up.`,
  },
};
