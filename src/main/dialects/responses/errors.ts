/** Errors as the Responses API tells them. */
import { CodexNativeApiError } from "../../errors.js";
import { describeError } from "../answers/error-body.js";
import type { ErrorShape } from "../dialect.js";

export const unsupportedFeature = "unsupported_responses_feature";

export function unsupported(param: string, reason: string): CodexNativeApiError {
  return new CodexNativeApiError(unsupportedFeature, `'${param}': ${reason}.`, { param });
}

/** Ends a stream whose events can no longer be sent, while the response itself may go on or have ended well. */
export interface StreamErrorEvent {
  readonly type: "error";
  readonly sequence_number: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export const responsesErrors: ErrorShape = {
  describe: describeError,
  encodeLast: ({ code, message, param }, sequenceNumber) => {
    const event: StreamErrorEvent = { type: "error", sequence_number: sequenceNumber, code, message, param };
    return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
  },
};
