/** Errors as the Responses API tells them. */
import type { CodexNativeApiError } from "../../errors.js";
import { describeError } from "../answers/error-body.js";
import type { ErrorShape } from "../dialect.js";
import { fieldError } from "../requests/schema-fault.js";
import type { StreamErrorEvent } from "./wire-events.js";

export const unsupportedFeature = "unsupported_responses_feature";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return fieldError(param, reason, unsupportedFeature);
}

export const responsesErrors: ErrorShape = {
  describe: describeError,
  encodeLast: (fault, sequenceNumber) => {
    const { code, message, param } = fault;
    const { error } = describeError(fault);
    const event: StreamErrorEvent = {
      type: "error",
      sequence_number: sequenceNumber,
      code,
      message,
      param,
      error,
    };
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
  },
};
