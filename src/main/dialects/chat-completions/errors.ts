/** Errors as chat completions tell them. */
import type { CodexNativeApiError } from "../../errors.js";
import { describeError } from "../answers/error-body.js";
import type { ErrorShape } from "../dialect.js";
import { fieldError } from "../requests/schema-fault.js";

export const unsupportedFeature = "unsupported_chat_completions_feature";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return fieldError(param, reason, unsupportedFeature);
}

export const chatErrors: ErrorShape = {
  describe: describeError,
  encodeLast: (error) => `data: ${JSON.stringify(describeError(error))}\n\n`,
};
