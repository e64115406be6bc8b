/** What becomes of a side task when a route fails it: one table. `docs/side-tasks.md` shows it; tests try each row. */
import type { CodexNativeApiErrorCode } from "../errors.js";

/** What a failure tells about the health of its route. */
export type CircuitEffect =
  /** One more failure in a row. */
  | "counts"
  /** Opens the circuit at once, for as long as the route asked to be left alone. */
  | "opens"
  /** The route works; it is the task that failed. */
  | "healthy"
  /** Nothing. */
  | "none";

export interface FallThroughRule {
  /** Whether the next route is tried. */
  readonly next: boolean;
  readonly circuit: CircuitEffect;
  readonly why: string;
}

export const fallThroughTable = {
  unreachable: {
    next: true,
    circuit: "counts",
    why: "Nothing was sent: no connection, no such host, connect timeout.",
  },
  unhealthy: {
    next: true,
    circuit: "counts",
    why: "The service is up, but Codex is not ready, or its login is missing or refused.",
  },
  overloaded: { next: true, circuit: "counts", why: "A full queue, or a model that is overloaded." },
  usage_limit: {
    next: true,
    circuit: "opens",
    why: "The plan is used up until its reset: asking again before is of no use.",
  },
  rate_limited: { next: true, circuit: "opens", why: "Too many requests; the route says for how long." },
  misconfigured: {
    next: true,
    circuit: "counts",
    why: "A wrong token, host or path, or another program on the port: no fault of the task's.",
  },
  internal: { next: true, circuit: "counts", why: "The route broke in a way nobody foresaw." },
  bad_answer: {
    next: true,
    circuit: "counts",
    why: "What came back is no answer of this API: not JSON, not its shape, too large.",
  },
  connection_lost: {
    next: true,
    circuit: "counts",
    why: "The connection or the turn broke after the task was sent. It may have run: a side task has no tools and changes nothing, so running it again costs tokens and no more, and no output of it was accepted.",
  },
  route_timeout: {
    next: true,
    circuit: "counts",
    why: "The route took more than its part of the time. Its turn is interrupted first.",
  },
  bad_request: {
    next: false,
    circuit: "healthy",
    why: "The task itself is at fault; it would be on every route.",
  },
  content_policy: {
    next: false,
    circuit: "healthy",
    why: "A refusal is an answer. Looking for a provider that does not refuse is not the router's to do.",
  },
  bad_output: {
    next: false,
    circuit: "healthy",
    why: "The model answered, and the answer is empty, cut short or breaks the schema. The error carries its text; whether to ask again is the caller's to say.",
  },
  timeout: {
    next: false,
    circuit: "counts",
    why: "The task's own time is over: there is none left for another route.",
  },
  cancelled: { next: false, circuit: "none", why: "The caller gave the task up." },
  closed: { next: false, circuit: "none", why: "The router was destroyed." },
} as const satisfies Record<string, FallThroughRule>;

/** A row of the table. */
export type SideTaskFailure = keyof typeof fallThroughTable;

/** The row of each code this service and its runtime fail with. A new code does not compile until it has one. */
export const failureOfCode: Readonly<Record<CodexNativeApiErrorCode, SideTaskFailure>> = {
  invalid_json: "bad_request",
  invalid_request: "bad_request",
  unsupported_responses_feature: "bad_request",
  unsupported_chat_completions_feature: "bad_request",
  context_length_exceeded: "bad_request",
  upstream_bad_request: "bad_request",
  model_not_found: "bad_request",
  body_too_large: "bad_request",
  request_headers_too_large: "bad_request",
  response_not_found: "bad_request",
  continuation_not_found: "bad_request",
  continuation_expired: "bad_request",
  continuation_provider_mismatch: "bad_request",
  continuation_account_mismatch: "bad_request",
  response_in_progress: "bad_request",
  content_policy_violation: "content_policy",
  invalid_auth_token: "misconfigured",
  host_not_allowed: "misconfigured",
  origin_not_allowed: "misconfigured",
  route_not_found: "misconfigured",
  method_not_allowed: "misconfigured",
  unsupported_media_type: "misconfigured",
  model_not_allowed: "misconfigured",
  not_implemented: "misconfigured",
  native_login_required: "unhealthy",
  upstream_forbidden: "unhealthy",
  native_runtime_unavailable: "unhealthy",
  queue_full: "overloaded",
  queue_timeout: "overloaded",
  token_concurrency_exceeded: "overloaded",
  server_overloaded: "overloaded",
  rate_limit_exceeded: "rate_limited",
  usage_limit_reached: "usage_limit",
  upstream_connection_failed: "connection_lost",
  request_timeout: "connection_lost",
  // Not by this caller, or the row would be `cancelled`.
  turn_cancelled: "connection_lost",
  turn_stalled: "route_timeout",
  turn_timeout: "route_timeout",
  internal_error: "internal",
};

export function isKnownCode(code: string): code is CodexNativeApiErrorCode {
  return Object.hasOwn(failureOfCode, code);
}
