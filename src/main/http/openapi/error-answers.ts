/** The errors: which of them an operation can answer with, what each means, and how the document shows them. */

import { describeError } from "../../dialects/answers/error-body.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode, errorCodes, errorKinds } from "../../errors.js";
import { type Answer, type Example, type Reference, schemaRef } from "./types.js";

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
  // `usage_limit_reached` is not worth a retry, and still tells when the window resets.
  const mayWait = kinds.some(({ retryable }) => retryable) || codes.includes("usage_limit_reached");
  return {
    description: codes.map((code) => `\`${code}\`: ${errorSummaries[code]}`).join("\n\n"),
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
  return Object.fromEntries(
    errorCodes
      .filter((code) => !strayErrors.includes(code))
      .map((code) => {
        const error = new CodexNativeApiError(code, errorSummaries[code]);
        return [code, { summary: errorSummaries[code], value: describeError(error) }];
      }),
  );
}

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

/** One line for each code; docs/errors.md says what to do. */
const errorSummaries: Readonly<Record<CodexNativeApiErrorCode, string>> = {
  invalid_json: "The body is not JSON.",
  invalid_request: "The request breaks the schema; `param` names the path.",
  unsupported_responses_feature:
    "Valid for OpenAI, but Codex has no place for it and leaving it out would change the meaning.",
  unsupported_chat_completions_feature:
    "Valid for OpenAI, but Codex has no place for it and leaving it out would change the meaning.",
  context_length_exceeded: "The input does not fit into the model's context.",
  upstream_bad_request: "The model backend or Codex refused the request; the message is theirs.",
  upstream_forbidden:
    "The model backend does not let this account or machine do it; the message is the backend's.",
  content_policy_violation: "The backend's policy refused the request.",
  invalid_auth_token: "The bearer token is missing, wrong or switched off.",
  host_not_allowed: "The `Host` header names neither loopback nor an allowed host.",
  origin_not_allowed: "A web page whose origin is not allowed called.",
  model_not_allowed: "The token may not use this model.",
  route_not_found: "There is no such route.",
  model_not_found: "The model is not in the catalog of this Codex login, or the backend refused it.",
  response_not_found: "No stored response of this token has this id.",
  continuation_not_found: "`previous_response_id` is not known.",
  method_not_allowed: "The route does not have this method; `Allow` lists those it has.",
  continuation_provider_mismatch: "The chain began under another provider profile.",
  continuation_account_mismatch: "The chain began under another Codex account.",
  response_in_progress: "The response that is to be continued is still being made.",
  continuation_expired: "What is to be continued was stored and is not any more.",
  request_timeout: "The request arrived too slowly, or did not arrive whole.",
  request_headers_too_large: "The target and the headers are larger than this server takes.",
  body_too_large: "The body is larger than this server takes.",
  unsupported_media_type: "The body is not declared as JSON.",
  token_concurrency_exceeded: "The token has as many turns under way as it may.",
  queue_full: "Too many turns wait already, or too much of their bodies is held.",
  rate_limit_exceeded: "The model backend takes no more requests or connections for now.",
  usage_limit_reached: "The plan's allowance is used up.",
  turn_cancelled: "The caller gave the turn up; nobody is left to read this.",
  internal_error: "Something this service did not foresee; its log has the cause.",
  not_implemented: "The route, the method or the transfer coding is known and not built.",
  upstream_connection_failed: "The model backend could not be reached, or cut the stream.",
  queue_timeout: "The turn waited too long for a place. Nothing of it ran.",
  native_login_required: "Codex is not logged in on this machine.",
  native_runtime_unavailable:
    "There is no app-server to run the turn: it is starting, restarting, missing or shutting down.",
  server_overloaded: "The model backend or the app-server has too much to do.",
  turn_stalled: "Nothing was heard of the turn for too long, or the model got nowhere.",
  turn_timeout: "The turn ran for longer than a turn may.",
};
