import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnRequest } from "./types.js";

export function requireItems(request: IsolatedTurnRequest): void {
  if (request.items.length > 0) return;
  throw new CodexNativeApiError("invalid_request", "There is nothing to answer: the input is empty.", {
    param: "input",
  });
}

export function shuttingDown(): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.", {
    retryAfterMs: 1000,
  });
}

export function accountChanged(): CodexNativeApiError {
  return new CodexNativeApiError(
    "continuation_account_mismatch",
    "The Codex login changed: what this continues belongs to another account. Start a new chain.",
    { param: "previous_response_id" },
  );
}

export function neverStarted(): CodexNativeApiError {
  return new CodexNativeApiError("turn_cancelled", "The caller gave the turn up before it started.");
}
