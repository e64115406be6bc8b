import type { TurnErrorCode, TurnErrorData } from "../workers/contract/errors.js";

interface ErrorKind {
  readonly status: number;
  /** OpenAI's error type, which official clients branch on beside the status. */
  readonly type: string;
  /** Whether the same request may succeed later. Official SDKs obey `x-should-retry`. */
  readonly retryable: boolean;
}

const badRequest = { status: 400, type: "invalid_request_error", retryable: false } as const;

/** Every code this service answers with. `docs/errors.md` has a heading for each; a test compares the two. */
export const errorKinds = {
  invalid_json: badRequest,
  invalid_request: badRequest,
  unsupported_responses_feature: badRequest,
  unsupported_chat_completions_feature: badRequest,
  context_length_exceeded: badRequest,
  upstream_bad_request: badRequest,
  content_policy_violation: badRequest,
  invalid_auth_token: { status: 401, type: "authentication_error", retryable: false },
  host_not_allowed: { status: 403, type: "permission_error", retryable: false },
  origin_not_allowed: { status: 403, type: "permission_error", retryable: false },
  model_not_allowed: { status: 403, type: "permission_error", retryable: false },
  upstream_forbidden: { status: 403, type: "permission_error", retryable: false },
  route_not_found: { status: 404, type: "not_found_error", retryable: false },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  response_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  continuation_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  method_not_allowed: { status: 405, type: "invalid_request_error", retryable: false },
  request_timeout: { status: 408, type: "invalid_request_error", retryable: true },
  continuation_provider_mismatch: { status: 409, type: "conflict_error", retryable: false },
  continuation_account_mismatch: { status: 409, type: "conflict_error", retryable: false },
  response_in_progress: { status: 409, type: "conflict_error", retryable: true },
  continuation_expired: { status: 410, type: "invalid_request_error", retryable: false },
  body_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  unsupported_media_type: { status: 415, type: "invalid_request_error", retryable: false },
  request_headers_too_large: { status: 431, type: "invalid_request_error", retryable: false },
  queue_full: { status: 429, type: "rate_limit_error", retryable: true },
  token_concurrency_exceeded: { status: 429, type: "rate_limit_error", retryable: true },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error", retryable: true },
  usage_limit_reached: { status: 429, type: "rate_limit_error", retryable: false },
  turn_cancelled: { status: 499, type: "request_cancelled", retryable: false },
  internal_error: { status: 500, type: "server_error", retryable: false },
  not_implemented: { status: 501, type: "invalid_request_error", retryable: false },
  upstream_connection_failed: { status: 502, type: "server_error", retryable: true },
  queue_timeout: { status: 503, type: "server_error", retryable: true },
  native_login_required: { status: 503, type: "server_error", retryable: false },
  native_runtime_unavailable: { status: 503, type: "server_error", retryable: true },
  server_overloaded: { status: 503, type: "server_error", retryable: true },
  turn_stalled: { status: 504, type: "server_error", retryable: true },
  turn_timeout: { status: 504, type: "server_error", retryable: false },
} as const satisfies Record<string, ErrorKind> & Record<TurnErrorCode, ErrorKind>;

/** Stable; each is explained in docs/errors.md. */
export type CodexNativeApiErrorCode = keyof typeof errorKinds;

export const errorCodes = Object.keys(errorKinds).filter(isErrorCode);

function isErrorCode(code: string): code is CodexNativeApiErrorCode {
  return code in errorKinds;
}

/** What an error may say beside its code and message. */
export interface CodexNativeApiErrorDetails {
  /** Path of the request field at fault, such as `input[2].content`. */
  readonly param?: string | null;
  /** When a retry may help, in milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The one error that leaves this service. Branch on `code`, which is stable; `message` is for people and never holds a
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
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const kind = errorKinds[code];
    this.code = code;
    this.status = kind.status;
    this.type = kind.type;
    this.retryable = kind.retryable;
    this.param = details.param ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** Rebuilds an error that crossed a thread as data. */
  static fromTurnError(data: TurnErrorData): CodexNativeApiError {
    return new CodexNativeApiError(data.code, data.message, {
      ...(data.param === undefined ? {} : { param: data.param }),
      ...(data.retryAfterMs === undefined ? {} : { retryAfterMs: data.retryAfterMs }),
    });
  }

  /** The error itself, or `internal_error` around what nobody foresaw: its text stays inside, as the cause. */
  static fromUnknown(error: unknown): CodexNativeApiError {
    if (error instanceof CodexNativeApiError) return error;
    return new CodexNativeApiError("internal_error", "The server failed in an unforeseen way.", {
      cause: error,
    });
  }
}
