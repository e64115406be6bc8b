import { findNotJson } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { FunctionTool, Readiness } from "../../runtime/types.js";

/** For what a host hands in and JSON has no form for. Names where that is, as far as it can be found. */
export function notJson(fields: object, cause: unknown): CodexNativeApiError {
  const param = findNotJson(fields);
  const message = `The request cannot be written as JSON: ${param ?? "something in it"} has no form there.`;
  return new CodexNativeApiError("invalid_request", message, { param, cause });
}

/**
 * Throws for a tool that the model would be given as declared, where Codex's own catalog is in force: Codex has tools of its own there,
 * and runs a call of one itself.
 */
export function refuseExactTools(tools: readonly FunctionTool[]): void {
  const found = tools.find(({ exact }) => exact !== undefined);
  if (found === undefined) return;
  throw new CodexNativeApiError(
    "invalid_request",
    `The custom tool '${found.name}' has a grammar, which cannot be offered now: Codex runs on its own catalog of models and might run the tool itself.`,
    { param: "tools" },
  );
}

export function shuttingDown(): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.", {
    retryAfterMs: 1000,
  });
}

/** For a runtime that is not ready and will not be within moments. */
export function notReady(readiness: Readiness): CodexNativeApiError {
  return readiness.ready ? shuttingDown() : CodexNativeApiError.fromTurnError(readiness.error);
}

export function accountChanged(): CodexNativeApiError {
  return new CodexNativeApiError(
    "continuation_account_mismatch",
    "The Codex login changed: what this continues belongs to another account. Start a new chain.",
    { param: "previous_response_id" },
  );
}

/** For a parked turn that is resumed. */
export function noRoomInTime(): CodexNativeApiError {
  return new CodexNativeApiError("queue_timeout", "No place became free for the turn to go on.", {
    retryAfterMs: 1000,
  });
}

export function neverStarted(): CodexNativeApiError {
  return new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
}
