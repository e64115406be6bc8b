import type { TurnErrorCode, TurnErrorData } from "../workers/contract/errors.js";

interface ErrorKind {
  readonly status: number;
  /** OpenAI's error type, which official clients branch on beside the status. */
  readonly type: string;
  /** Whether the same request may succeed later. Official SDKs obey `x-should-retry`. */
  readonly retryable: boolean;
  /** What happened, in a line. docs/errors.md says what to do. */
  readonly summary: string;
}

type Describe = (summary: string) => ErrorKind;

const lasting =
  (status: number, type: string): Describe =>
  (summary) => ({ status, type, retryable: false, summary });

const passing =
  (status: number, type: string): Describe =>
  (summary) => ({ status, type, retryable: true, summary });

const invalid = (status: number) => lasting(status, "invalid_request_error");
const badRequest = invalid(400);
const unauthorized = lasting(401, "authentication_error");
const tooSlow = passing(408, "invalid_request_error");
const forbidden = lasting(403, "permission_error");
const notFound = invalid(404);
const conflict = lasting(409, "conflict_error");
const tooMany = passing(429, "rate_limit_error");
const badGateway = passing(502, "server_error");
const unavailable = passing(503, "server_error");
const gatewayTimeout = passing(504, "server_error");

const unsupported =
  "Valid for OpenAI, but Codex has no such setting and leaving it out would change the meaning.";

/** Every code this service answers with. `docs/errors.md` has a heading for each; a test compares the two. */
export const errorKinds = {
  invalid_json: badRequest("The body is not JSON."),
  invalid_request: badRequest("The request breaks the schema; `param` names the path."),
  unsupported_responses_feature: badRequest(unsupported),
  unsupported_chat_completions_feature: badRequest(unsupported),
  unsupported_decisions_feature: badRequest(unsupported),
  context_length_exceeded: badRequest("The input does not fit into the model's context."),
  upstream_bad_request: badRequest("The model backend or Codex refused the request; the message is theirs."),
  content_policy_violation: badRequest("The backend's policy refused the request."),
  invalid_page_code: badRequest("The one-time code of the page is wrong, used or too old."),
  invalid_auth_token: unauthorized("The bearer token is missing, wrong or switched off."),
  host_not_allowed: forbidden("The `Host` header names neither loopback nor an allowed host."),
  origin_not_allowed: forbidden("A web page whose origin is not allowed called."),
  model_not_allowed: forbidden("The token may not use this model."),
  upstream_forbidden: forbidden(
    "The model backend forbids this to the account or machine; the message is the backend's.",
  ),
  route_not_found: lasting(404, "not_found_error")("There is no such route."),
  model_not_found: notFound(
    "The model is not in the catalog of this Codex login, or the backend refused it.",
  ),
  response_not_found: notFound("No stored response of this token has this id."),
  request_not_found: notFound("The request log has no request of this token with this id."),
  continuation_not_found: notFound("`previous_response_id` is not known."),
  method_not_allowed: invalid(405)("The route does not have this method; `Allow` lists those it has."),
  request_timeout: tooSlow("The request arrived too slowly, or did not arrive whole."),
  continuation_provider_mismatch: conflict("The chain began under another provider profile."),
  continuation_account_mismatch: conflict("The chain began under another Codex account."),
  response_in_progress: passing(409, "conflict_error")("The response to continue is still running."),
  continuation_expired: invalid(410)("The response to continue was stored and has expired."),
  body_too_large: invalid(413)("The body exceeds the size limit."),
  unsupported_media_type: invalid(415)("The body is not declared as JSON."),
  upgrade_required: invalid(426)("The route answers a WebSocket handshake only."),
  request_headers_too_large: invalid(431)("The target and the headers exceed the size limit."),
  queue_full: tooMany("Too many turns wait already, or their bodies use too much memory."),
  token_concurrency_exceeded: tooMany("The token has reached its limit of concurrent turns."),
  page_code_attempts_exceeded: tooMany("Too many wrong one-time codes were sent in a short time."),
  event_readers_exceeded: tooMany("As many readers as there may be follow the service's events already."),
  rate_limit_exceeded: tooMany("The model backend accepts no more requests or connections for now."),
  usage_limit_reached: lasting(429, "rate_limit_error")("The plan's allowance is used up."),
  turn_cancelled: lasting(499, "request_cancelled")("The caller cancelled the turn."),
  internal_error: lasting(500, "server_error")("An unexpected error of this service; its log has the cause."),
  not_implemented: invalid(501)("The route, the method or the transfer coding is known and not built."),
  upstream_connection_failed: badGateway("The model backend could not be reached, or cut the stream."),
  network_misconfigured: lasting(
    502,
    "server_error",
  )("The proxy or its certificate keeps Codex from the model backend; the message says what to change."),
  invalid_model_output: badGateway("The model's answer breaks its schema, or was cut off."),
  queue_timeout: unavailable("The turn waited too long in the queue. Nothing of it ran."),
  request_log_unavailable: unavailable("The store of the request log failed, or did not answer in time."),
  native_login_required: lasting(503, "server_error")("Codex is not logged in on this machine."),
  native_runtime_unavailable: unavailable(
    "The app-server cannot run turns: it is starting, restarting, missing or shutting down.",
  ),
  server_overloaded: unavailable("The model backend or the app-server is overloaded."),
  turn_stalled: gatewayTimeout("The turn reported nothing for too long, or the model made no progress."),
  turn_timeout: lasting(504, "server_error")("The turn exceeded its time limit."),
} satisfies Record<string, ErrorKind> & Record<TurnErrorCode, ErrorKind>;

/** Stable; each is explained in docs/errors.md. */
export type CodexNativeApiErrorCode = keyof typeof errorKinds;

export const errorCodes = Object.keys(errorKinds).filter(isErrorCode);

export function isErrorCode(code: string): code is CodexNativeApiErrorCode {
  return Object.hasOwn(errorKinds, code);
}

/** The optional details of an error. */
export interface CodexNativeApiErrorDetails {
  /** Path of the request field at fault, such as `input[2].content`. */
  readonly param?: string | null;
  /** When a retry may help, in milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * Every error that callers and hosts get. Branch on `code`, which is stable; `message` is for people and never holds a
 * stack or a path of this machine.
 */
export class CodexNativeApiError extends Error {
  override readonly name = "CodexNativeApiError";
  readonly code: CodexNativeApiErrorCode;
  readonly status: number;
  readonly type: string;
  readonly retryable: boolean;
  readonly param: string | null;
  readonly retryAfterMs: number | null;

  constructor(code: CodexNativeApiErrorCode, message: string, details: CodexNativeApiErrorDetails = {}) {
    // What it quotes of a caller's text may be cut within a character, and strict readers of JSON refuse half of one.
    super(message.toWellFormed(), details.cause === undefined ? undefined : { cause: details.cause });
    const { status, type, retryable } = errorKinds[code];
    this.code = code;
    this.status = status;
    this.type = type;
    this.retryable = retryable;
    this.param = details.param?.toWellFormed() ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** Rebuilds an error that crossed a thread as data. */
  static fromTurnError(data: TurnErrorData): CodexNativeApiError {
    return new CodexNativeApiError(data.code, data.message, data);
  }

  /** The error itself, or `internal_error` around an unexpected one, whose text stays inside as the cause. */
  static fromUnknown(error: unknown): CodexNativeApiError {
    if (error instanceof CodexNativeApiError) return error;
    return new CodexNativeApiError("internal_error", "The server failed with an unexpected error.", {
      cause: error,
    });
  }
}
