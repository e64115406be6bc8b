/** What the router does when a route fails: one table. `docs/side-tasks.md` shows it; tests try each row. */
import type { CodexNativeApiErrorCode } from "../errors.js";

/** What a failure says about the health of its route. */
export type CircuitEffect =
  /** One more failure in a row. */
  | "counts"
  /** Opens the circuit at once, for as long as the route asked for a pause. */
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

/** The next route is tried. */
const passOn = (circuit: CircuitEffect, why: string): FallThroughRule => ({ next: true, circuit, why });

/** The task ends. */
const end = (circuit: CircuitEffect, why: string): FallThroughRule => ({ next: false, circuit, why });

export const fallThroughTable = {
  unreachable: passOn("counts", "Nothing was sent: no connection, no such host, connect timeout."),
  unhealthy: passOn(
    "counts",
    "The service is up, but Codex is not ready, or its login is missing or refused.",
  ),
  overloaded: passOn("counts", "A full queue, or a model that is overloaded."),
  usage_limit: passOn("opens", "The plan is used up until its reset; a retry before that cannot work."),
  rate_limited: passOn("opens", "Too many requests; the route says for how long."),
  misconfigured: passOn(
    "counts",
    "A wrong token, host or path, or another program on the port; the task is not at fault.",
  ),
  internal: passOn("counts", "The route failed with an unexpected error."),
  bad_answer: passOn("counts", "The answer does not fit this API: not JSON, not its shape, or too large."),
  connection_lost: passOn(
    "counts",
    "The connection or the turn broke after the task was sent. It may have run: a side task has no tools and changes nothing, so running it again costs tokens and no more, and no output of it was accepted.",
  ),
  route_timeout: passOn("counts", "The route used up its share of the time. Its turn is cancelled first."),
  bad_request: end("healthy", "The task itself is at fault, and would fail on every route."),
  content_policy: end(
    "healthy",
    "A refusal is an answer. The router does not look for a provider that does not refuse.",
  ),
  bad_output: end(
    "healthy",
    "The model answered, and the answer is empty, cut short or does not match the schema. The error carries its text; the caller decides whether to ask again.",
  ),
  timeout: end("counts", "The task ran out of time, so none is left for another route."),
  cancelled: end("none", "The caller cancelled the task."),
  closed: end("none", "The router was destroyed."),
} satisfies Record<string, FallThroughRule>;

/** A row of the table. */
export type SideTaskFailure = keyof typeof fallThroughTable;

/** The row of each code of this service and its runtime. A new code does not compile until it has one. */
export const failureOfCode: Readonly<Record<CodexNativeApiErrorCode, SideTaskFailure>> = {
  invalid_json: "bad_request",
  invalid_request: "bad_request",
  unsupported_responses_feature: "bad_request",
  unsupported_chat_completions_feature: "bad_request",
  unsupported_decisions_feature: "bad_request",
  context_length_exceeded: "bad_request",
  upstream_bad_request: "bad_request",
  model_not_found: "bad_request",
  body_too_large: "bad_request",
  request_headers_too_large: "bad_request",
  request_not_found: "bad_request",
  response_not_found: "bad_request",
  continuation_not_found: "bad_request",
  continuation_expired: "bad_request",
  continuation_provider_mismatch: "bad_request",
  continuation_account_mismatch: "bad_request",
  response_in_progress: "bad_request",
  content_policy_violation: "content_policy",
  invalid_model_output: "bad_output",
  invalid_auth_token: "misconfigured",
  invalid_page_code: "misconfigured",
  host_not_allowed: "misconfigured",
  origin_not_allowed: "misconfigured",
  route_not_found: "misconfigured",
  method_not_allowed: "misconfigured",
  unsupported_media_type: "misconfigured",
  upgrade_required: "misconfigured",
  model_not_allowed: "misconfigured",
  not_implemented: "misconfigured",
  native_login_required: "unhealthy",
  upstream_forbidden: "unhealthy",
  network_misconfigured: "unhealthy",
  native_runtime_unavailable: "unhealthy",
  queue_full: "overloaded",
  queue_timeout: "overloaded",
  token_concurrency_exceeded: "overloaded",
  page_code_attempts_exceeded: "overloaded",
  event_readers_exceeded: "overloaded",
  server_overloaded: "overloaded",
  rate_limit_exceeded: "rate_limited",
  usage_limit_reached: "usage_limit",
  upstream_connection_failed: "connection_lost",
  request_timeout: "connection_lost",
  // The task's own cancel has the row `cancelled`, so that this one came from elsewhere.
  turn_cancelled: "connection_lost",
  turn_stalled: "route_timeout",
  turn_timeout: "route_timeout",
  request_log_unavailable: "internal",
  internal_error: "internal",
};
