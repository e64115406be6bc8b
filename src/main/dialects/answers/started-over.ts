import { CodexNativeApiError } from "../../errors.js";

/** The model makes an item again of which the caller has had a part: no stream can take that back. */
export function startedOver(): CodexNativeApiError {
  return new CodexNativeApiError(
    "upstream_connection_failed",
    "The model's answer broke off and started over, so the part that was already streamed is invalid.",
  );
}
