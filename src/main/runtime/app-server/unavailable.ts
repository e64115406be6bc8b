import { CodexNativeApiError } from "../../errors.js";

/** Codex cannot be had now. The message is for people and holds no path; what is for the log goes into the cause. */
export function unavailable(message: string, cause?: unknown): CodexNativeApiError {
  return new CodexNativeApiError("native_runtime_unavailable", message, cause === undefined ? {} : { cause });
}

export function closingError(): CodexNativeApiError {
  return unavailable("The service is closing.");
}
