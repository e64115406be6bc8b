/**
 * The table of what the upstream says: every kind of error that Codex names, every HTTP status of the model backend and every
 * fault of the network, each with its code. `errorKinds` in the main thread gives each code its HTTP status and says whether a
 * retry helps. `docs/errors.md` shows the table; contract tests compare it with the document and with Codex's own schema.
 */
import type { TurnErrorCode } from "../contract/errors.js";

/** The kinds of Codex's `CodexErrorInfo`. Where Codex or its words name an HTTP status, `byStatus` kinds go by that. */
export const codexErrorKinds: Readonly<
  Record<string, { readonly code: TurnErrorCode; readonly byStatus?: true }>
> = {
  contextWindowExceeded: { code: "context_length_exceeded" },
  sessionBudgetExceeded: { code: "usage_limit_reached" },
  usageLimitExceeded: { code: "usage_limit_reached" },
  rateLimitExceeded: { code: "rate_limit_exceeded" },
  flexUnavailable: { code: "server_overloaded" },
  serverOverloaded: { code: "server_overloaded" },
  policyCapacityUnavailable: { code: "server_overloaded" },
  modelNotFound: { code: "model_not_found" },
  inferenceHookDenied: { code: "content_policy_violation" },
  cyberPolicy: { code: "content_policy_violation" },
  bioPolicy: { code: "content_policy_violation" },
  misalignmentPolicyViolation: { code: "content_policy_violation" },
  unauthorized: { code: "native_login_required" },
  badRequest: { code: "upstream_bad_request" },
  internalServerError: { code: "upstream_connection_failed" },
  httpConnectionFailed: { code: "upstream_connection_failed", byStatus: true },
  responseStreamConnectionFailed: { code: "upstream_connection_failed", byStatus: true },
  responseStreamDisconnected: { code: "upstream_connection_failed", byStatus: true },
  responseTooManyFailedAttempts: { code: "upstream_connection_failed", byStatus: true },
  /** A refusal of the backend's or a fault of the network, which only its words tell apart. */
  other: { code: "upstream_bad_request", byStatus: true },
  // Of things that this service never asks for: approvals, rollbacks, a sandbox, steering.
  tooManyDenials: { code: "internal_error" },
  threadRollbackFailed: { code: "internal_error" },
  sandboxError: { code: "internal_error" },
  activeTurnNotSteerable: { code: "internal_error" },
};

/** HTTP statuses of the model backend that stand out of their class. */
export const upstreamStatuses: Readonly<Record<number, TurnErrorCode>> = {
  400: "upstream_bad_request",
  401: "native_login_required",
  402: "upstream_forbidden",
  403: "upstream_forbidden",
  404: "upstream_bad_request",
  407: "upstream_connection_failed",
  408: "upstream_connection_failed",
  409: "upstream_connection_failed",
  413: "upstream_bad_request",
  422: "upstream_bad_request",
  425: "upstream_connection_failed",
  429: "rate_limit_exceeded",
  451: "upstream_forbidden",
  500: "upstream_connection_failed",
  502: "upstream_connection_failed",
  503: "server_overloaded",
  504: "upstream_connection_failed",
  529: "server_overloaded",
};

/** A status of the model backend: its own row, or its class's. */
export function codeOfUpstreamStatus(status: number): TurnErrorCode {
  const own = upstreamStatuses[status];
  if (own !== undefined) return own;
  return status >= 400 && status < 500 ? "upstream_bad_request" : "upstream_connection_failed";
}

/**
 * A refused WebSocket upgrade. Refusals of requests mean the request or the account; 403 of an upgrade is how the backend says
 * that there are too many connections, or that they come too fast.
 */
export function codeOfUpgradeStatus(status: number): TurnErrorCode {
  return status === 403 ? "rate_limit_exceeded" : codeOfUpstreamStatus(status);
}

/** A refused refresh of the login's token: 4xx is the login's fault, everything else is for now. */
export function codeOfRefreshStatus(status: number): TurnErrorCode {
  const code = codeOfUpstreamStatus(status);
  return code === "upstream_bad_request" || code === "upstream_forbidden" ? "native_login_required" : code;
}

/** The backend's own words for what went wrong: `code` or `type` in the body of a refusal. */
export const upstreamBodyCodes: Readonly<Record<string, TurnErrorCode>> = {
  context_length_exceeded: "context_length_exceeded",
  content_policy_violation: "content_policy_violation",
  cyber_policy: "content_policy_violation",
  bio_policy: "content_policy_violation",
  misalignment_policy_violation: "content_policy_violation",
  model_not_found: "model_not_found",
  model_not_supported: "model_not_found",
  unsupported_model: "model_not_found",
  rate_limit_exceeded: "rate_limit_exceeded",
  slow_down: "rate_limit_exceeded",
  insufficient_quota: "usage_limit_reached",
  usage_limit_reached: "usage_limit_reached",
  usage_not_included: "usage_limit_reached",
  server_is_overloaded: "server_overloaded",
  token_expired: "native_login_required",
  token_invalidated: "native_login_required",
  invalid_api_key: "native_login_required",
};

/**
 * Faults of the network as Codex words them, each at the beginning of its text: a refusal of the backend's may speak of
 * connections too.
 */
export const networkFaults: readonly { readonly fault: string; readonly words: RegExp }[] = [
  { fault: "the connection was refused, reset or never came about", words: /^error sending request/i },
  { fault: "Codex waits for a network", words: /^Reconnecting\W+waiting for network|^Connection failed\b/i },
  { fault: "the stream was cut before its end", words: /^stream (?:disconnected|closed) before/i },
  { fault: "a WebSocket was closed", words: /^(?:websocket|WebSocket protocol error|Transport error)\b/i },
  { fault: "time ran out", words: /^(?:idle timeout|(?:request |connection |operation )?timed? ?out)\b/i },
  {
    fault: "name, address or certificate",
    words: /^(?:dns error|failed to lookup address|tcp connect error|tls |invalid peer certificate)/i,
  },
  { fault: "an error of the system's sockets", words: /^[\w ]{1,60} \(os error \d{1,5}\)$/i },
];

/** Sentences about the model as such, with which the backend refuses one that it does not offer to this login. */
export const modelRefusals: readonly RegExp[] = [
  /^(?:the |this |your |requested |selected |specified )*(?:(?:'[^']{0,200}'|`[^`]{0,200}`|"[^"]{0,200}") )?model\b(?: (?:'[^']{0,200}'|`[^`]{0,200}`|"[^"]{0,200}"|[\w.:/-]{1,200}))? (?:is not (?:supported|available|found|accessible)|was not found|not found|does not exist|could not be found)/i,
  /^(?:unknown|unsupported|invalid|no such) model\b(?! (?:parameter|option|setting))/i,
  /^model not found/i,
];

/** Sentences with which the backend's policy refuses a request that bears no code. */
export const policyRefusal = /(?:usage|content) polic|flagged as potentially violating/i;
