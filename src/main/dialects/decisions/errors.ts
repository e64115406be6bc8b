/** Errors of decisions: in OpenAI's shape, as everywhere. */
import { CodexNativeApiError } from "../../errors.js";
import { describeError } from "../answers/error-body.js";
import type { ErrorShape } from "../dialect.js";
import { fieldError } from "../requests/schema-fault.js";

export const unsupportedFeature = "unsupported_decisions_feature";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return fieldError(param, reason, unsupportedFeature);
}

/** The model's answer cannot be read as the answers that were asked for. */
export function invalidOutput(reason: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_model_output", `The model's answer is not valid: ${reason}.`);
}

export const decisionErrors: ErrorShape = {
  describe: describeError,
  // Decisions are never streamed.
  encodeLast: () => "",
};
