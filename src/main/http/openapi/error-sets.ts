/** Which errors an operation can answer with. */
import type { CodexNativeApiErrorCode } from "../../errors.js";

export type ErrorCodes = readonly CodexNativeApiErrorCode[];

/** Of the guards, which stand before every route. */
export const guardErrors: ErrorCodes = [
  "invalid_request",
  "request_timeout",
  "request_headers_too_large",
  "not_implemented",
  "host_not_allowed",
  "origin_not_allowed",
  "internal_error",
  "native_runtime_unavailable",
];

export const tokenErrors: ErrorCodes = ["invalid_auth_token"];

export const bodyErrors: ErrorCodes = ["invalid_json", "body_too_large", "unsupported_media_type"];

export const turnErrors: ErrorCodes = [
  "context_length_exceeded",
  "upstream_bad_request",
  "upstream_forbidden",
  "content_policy_violation",
  "model_not_allowed",
  "model_not_found",
  "token_concurrency_exceeded",
  "queue_full",
  "rate_limit_exceeded",
  "usage_limit_reached",
  "upstream_connection_failed",
  "queue_timeout",
  "native_login_required",
  "server_overloaded",
  "turn_stalled",
  "turn_timeout",
];

export const chainErrors: ErrorCodes = [
  "continuation_not_found",
  "continuation_expired",
  "continuation_provider_mismatch",
  "continuation_account_mismatch",
  "response_in_progress",
];

/** No operation's own: of what is no route, no method of one, or has nobody left to read it. */
export const strayErrors: ErrorCodes = ["route_not_found", "method_not_allowed", "turn_cancelled"];
