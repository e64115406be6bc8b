/** How a request failed, as its caller sees it: by the service's codes, and whether the service says that a retry may help. */
import OpenAI from "openai";
import { type CodexNativeApiErrorCode, errorKinds, isErrorCode } from "../../src/main/errors.js";

/** A request that takes longer counts as hung: longer than any phase allows. */
export const hangMs = 150_000;

/** A turn that ended as failed within an answer that had begun well. */
export class TurnFailed extends Error {
  readonly code: string;

  constructor(code: string | null | undefined) {
    super(code ?? "failed without a code");
    this.code = code ?? "none";
  }
}

export interface Failure {
  /** Status and code, or what else was said. */
  readonly text: string;
  /** Null: not one of the service's, so that the caller cannot know what to do. */
  readonly code: CodexNativeApiErrorCode | null;
  /** What is wrong with the failure itself, besides that there is one; null if nothing. */
  readonly flaw: string | null;
}

export function describeFailure(error: unknown): Failure {
  const status = error instanceof OpenAI.APIError ? error.status : undefined;
  const said = error instanceof OpenAI.APIError || error instanceof TurnFailed ? error.code : null;
  const message = error instanceof Error ? error.message : String(error);
  const text = `${status ?? ""} ${said ?? message}`.trim();
  if (typeof said !== "string" || !isErrorCode(said)) return { text, code: null, flaw: "it has no code" };
  return { text, code: said, flaw: error instanceof OpenAI.APIError ? findFlaw(error, said) : null };
}

/** The same for a table: what was shown before, the code, and whether a retry is right. */
export function outcomeOf(error: unknown, hasSeen: boolean): string {
  const { text, code, flaw } = describeFailure(error);
  const retry = code === null ? "" : errorKinds[code].retryable ? ", retry" : ", no retry";
  return `${hasSeen ? "cut: " : ""}${text}${retry}${flaw === null ? "" : ` (${flaw})`}`;
}

/** Whether status and `x-should-retry` are those of the code. */
function findFlaw({ status, headers }: InstanceType<typeof OpenAI.APIError>, code: CodexNativeApiErrorCode) {
  // Within a stream there is no status, and the code says it all.
  if (status === undefined) return null;
  const kind = errorKinds[code];
  if (status !== kind.status) return `its status is ${status}`;
  const isRetried = headers?.get("x-should-retry") !== "false";
  return isRetried === kind.retryable ? null : `a retry is said to be ${isRetried ? "right" : "no use"}`;
}
