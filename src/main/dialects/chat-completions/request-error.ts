import { CodexNativeApiError } from "../../errors.js";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return new CodexNativeApiError("unsupported_chat_completions_feature", `'${param}': ${reason}.`, { param });
}

export function invalid(param: string, message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `'${param}': ${message}.`, { param });
}
