import { CodexNativeApiError } from "../../errors.js";

/**
 * The error for a Codex that cannot be used now. The message is shown to callers and names no path; details go into the
 * cause.
 */
export function unavailable(message: string, cause?: unknown): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", message, cause === undefined ? {} : { cause });
}

export function closingError(): CodexNativeApiError {
  return unavailable("The service is closing.");
}
