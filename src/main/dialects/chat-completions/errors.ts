/** Errors as chat completions tell them. */
import { CodexNativeApiError } from "../../errors.js";
import { describeError } from "../answers/error-body.js";
import type { ErrorShape } from "../dialect.js";

export const unsupportedFeature = "unsupported_chat_completions_feature";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return new CodexNativeApiError(unsupportedFeature, `'${param}': ${reason}.`, { param });
}

export function invalid(param: string, message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `'${param}': ${message}.`, { param });
}

export const chatErrors: ErrorShape = {
  describe: describeError,
  encodeLast: (error) => `data: ${JSON.stringify(describeError(error))}\n\n`,
};
