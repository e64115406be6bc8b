import { findNotJson } from "../../workers/contract/json.js";
import { CodexNativeApiError } from "../errors.js";
import type { Readiness } from "./types.js";

/** For what a host hands in and JSON has no form for. Names where that is, as far as it can be found. */
export function notJson(fields: object, cause: unknown): CodexNativeApiError {
  const param = findNotJson(fields);
  const message = `The request cannot be written as JSON: ${param ?? "something in it"} has no form there.`;
  return new CodexNativeApiError("invalid_request", message, { param, cause });
}

/** A request refused without a path may hold what JSON has no form for: then that is said. */
export function orNotJson(refused: CodexNativeApiError, fields: () => object): CodexNativeApiError {
  if (refused.code !== "invalid_request" || refused.param !== null) return refused;
  const read = fields();
  return findNotJson(read) === null ? refused : notJson(read, refused);
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

/** For a parked turn that wanted to go on. */
export function noRoomInTime(): CodexNativeApiError {
  return new CodexNativeApiError("queue_timeout", "No place became free for the turn to go on.", {
    retryAfterMs: 1000,
  });
}

export function neverStarted(): CodexNativeApiError {
  return new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
}
