/** The errors: which of them each operation can answer with, what each means, and how the document shows them. */

import { describeError } from "../../dialects/answers/error-body.js";
import { type Example, type Schema, schemaRef } from "../../dialects/operation.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode, errorCodes, errorKinds } from "../../errors.js";

export interface Reference {
  readonly $ref: string;
}

export interface MediaType {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, Example | Reference>>;
}

export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

const headerRef = (name: string): Reference => ({ $ref: `#/components/headers/${name}` });

export const requestIdHeader = { "x-request-id": headerRef("RequestId") } as const;

export function describeErrorAnswers(codes: ErrorCodes): Readonly<Record<string, Answer>> {
  const byStatus = new Map<number, CodexNativeApiErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = errorKinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, held]) => [String(status), describeAnswer(held)]));
}

function describeAnswer(codes: ErrorCodes): Answer {
  const kinds = codes.map((code) => errorKinds[code]);
  // A retry after `usage_limit_reached` does not help soon; the header still says when the window resets.
  const mayWait = kinds.some(({ retryable }) => retryable) || codes.includes("usage_limit_reached");
  return {
    description: codes.map((code) => `\`${code}\`: ${errorKinds[code].summary}`).join("\n\n"),
    headers: {
      ...requestIdHeader,
      ...(kinds.some(({ retryable }) => !retryable) && { "x-should-retry": headerRef("ShouldRetry") }),
      ...(mayWait && { "retry-after": headerRef("RetryAfter") }),
      ...(codes.includes("invalid_auth_token") && { "www-authenticate": headerRef("Challenge") }),
    },
    content: {
      "application/json": {
        schema: schemaRef("Error"),
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

/** One for each code, which the answers refer to. */
export function describeErrorExamples(): Readonly<Record<string, Example>> {
  const codes = errorCodes.filter((code) => !strayErrors.includes(code));
  return Object.fromEntries(
    codes.map((code) => {
      const { summary } = errorKinds[code];
      return [code, { summary, value: describeError(new CodexNativeApiError(code, summary)) }];
    }),
  );
}

export type ErrorCodes = readonly CodexNativeApiErrorCode[];

/** Of the guards, which run before every route. */
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
  "network_misconfigured",
  "queue_timeout",
  "native_login_required",
  "server_overloaded",
  "turn_stalled",
  "turn_timeout",
];

/** Of no operation: the path or the method is no route's, or no caller is left to read the answer. */
export const strayErrors: ErrorCodes = ["route_not_found", "method_not_allowed", "turn_cancelled"];
