import type { JsonValue } from "./json.js";
import type { HttpErrorReply } from "./reply.js";

/** What a refusal says beside its status. */
export interface HttpErrorOptions {
  readonly code?: string | null;
  readonly type?: string;
  readonly message?: string;
  readonly param?: string | null;
  /** Sent as the `retry-after` header. */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the usual `{"error": {...}}`. */
  readonly body?: JsonValue;
  /** Instead of any JSON: a page or a sentence, as proxies and gateways answer. */
  readonly bodyText?: string;
}

/**
 * A refusal by status. Over a WebSocket, where no status line is left, it is sent as the `error` event Codex
 * understands: the status, the same error object and the headers.
 */
export function httpError(status: number, options: HttpErrorOptions = {}): HttpErrorReply {
  const body = options.body ?? {
    error: {
      message: options.message ?? DEFAULT_MESSAGES[status] ?? `The backend answered ${status}.`,
      type: options.type ?? (status >= 500 ? "server_error" : "invalid_request_error"),
      param: options.param ?? null,
      code: options.code ?? null,
    },
  };
  const retryAfter = options.retryAfterSeconds;
  return {
    kind: "http-error",
    status,
    headers: {
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
      ...options.headers,
    },
    bodyText: options.bodyText ?? JSON.stringify(body),
    startDelayMs: 0,
  };
}

const DEFAULT_MESSAGES: Readonly<Record<number, string>> = {
  400: "Invalid request.",
  401: "Your authentication token is not valid. Please try signing in again.",
  403: "You do not have access to this.",
  404: "Not found.",
  429: "Rate limit reached. Please try again later.",
  500: "The server had an error while processing your request. Sorry about that!",
  503: "The engine is currently overloaded, please try again later.",
};

/** When the plan is free again, and which plan it is. */
export interface UsageLimitOptions {
  readonly resetsInSeconds?: number;
  readonly planType?: string;
}

/** The plan is used up, as the ChatGPT backend says it: 429 with the time of the reset. */
export function usageLimitReached(options: UsageLimitOptions = {}): HttpErrorReply {
  const { resetsInSeconds = 3_600, planType = "pro" } = options;
  const resetsAt = Math.floor(Date.now() / 1_000) + resetsInSeconds;
  return httpError(429, {
    headers: {
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(resetsAt),
    },
    body: {
      error: {
        type: "usage_limit_reached",
        message: "The usage limit has been reached",
        plan_type: planType,
        resets_at: resetsAt,
        resets_in_seconds: resetsInSeconds,
      },
    },
  });
}

/** A plain 429: too many requests in a short time, try again soon. Null: without saying when. */
export function rateLimited(retryAfterSeconds: number | null = 2): HttpErrorReply {
  const when = retryAfterSeconds === null ? "later" : `in ${retryAfterSeconds}s`;
  return httpError(429, {
    code: "rate_limit_exceeded",
    type: "requests",
    message: `Rate limit reached for requests. Please try again ${when}.`,
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
  });
}

/** 503, in the words that Codex knows as "overloaded" and not as "broken". */
export function overloaded(retryAfterSeconds?: number): HttpErrorReply {
  return httpError(503, {
    code: "server_is_overloaded",
    type: "service_unavailable_error",
    message: "Our servers are currently overloaded. Please try again later.",
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
