/**
 * Why a turn failed, in codes that both sides of the thread boundary and HTTP callers share. Errors cross threads as data,
 * because `structuredClone` drops the `name` and `code` of an Error.
 */
export type TurnErrorCode =
  | "native_runtime_unavailable"
  | "native_login_required"
  | "model_not_found"
  | "usage_limit_reached"
  | "rate_limit_exceeded"
  | "server_overloaded"
  | "context_length_exceeded"
  | "upstream_bad_request"
  | "upstream_forbidden"
  | "content_policy_violation"
  | "upstream_connection_failed"
  | "network_misconfigured"
  | "turn_stalled"
  | "turn_timeout"
  | "turn_cancelled"
  | "invalid_request"
  | "internal_error";

/** An error as it crosses threads: data with a stable code. */
export interface TurnErrorData {
  readonly code: TurnErrorCode;
  /** Safe for an HTTP client: no stack, no path of this machine. */
  readonly message: string;
  /** Request field at fault, if one is known. */
  readonly param?: string;
  /** When a retry may help, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The backend refused the turn as one too many: for the account as a whole, or for its model. It may run when there is room. */
  readonly refusedFor?: "account" | "model";
  /** HTTP status the model backend gave, if Codex passed it on. */
  readonly upstreamStatus?: number;
  /**
   * Infrastructure failure (a dead process, worker or socket), not the request's fault: the turn may run once more elsewhere if
   * nothing of it was shown.
   */
  readonly infrastructure?: boolean;
}
