/** What a service can do to a side task, for each row of the fall-through table. */
import { type CodexNativeApiErrorCode, errorKinds } from "../../src/main/errors.js";
import type { SideTaskFailure } from "../../src/main/side-tasks/fall-through.js";
import type { SideTaskRequest } from "../../src/main/side-tasks/types.js";
import { answerRaw, failWith, hang, hangUp, type ListenerScript, sendJson } from "./scripted-listener.js";
import { respond, responseObject } from "./side-task-harness.js";

export interface Row {
  /** Row of the table. */
  readonly failure: SideTaskFailure;
  readonly code: string;
  readonly api: ListenerScript;
  readonly request?: Partial<SideTaskRequest>;
}

/** Of an answer that is one of two intents. */
export const intentSchema = {
  type: "object",
  properties: { intent: { enum: ["question", "command"] } },
  required: ["intent"],
  additionalProperties: false,
};

/** Codes of the service that need no more than their status. */
const furtherCodes: readonly (readonly [SideTaskFailure, readonly CodexNativeApiErrorCode[]])[] = [
  ["unhealthy", ["upstream_forbidden", "network_misconfigured"]],
  ["overloaded", ["token_concurrency_exceeded", "page_code_attempts_exceeded", "event_readers_exceeded"]],
  [
    "misconfigured",
    [
      "invalid_page_code",
      "origin_not_allowed",
      "route_not_found",
      "method_not_allowed",
      "upgrade_required",
      "unsupported_media_type",
      "model_not_allowed",
      "not_implemented",
    ],
  ],
  ["connection_lost", ["request_timeout"]],
  ["internal", ["request_log_unavailable"]],
  ["bad_output", ["invalid_model_output"]],
  ["route_timeout", ["turn_timeout"]],
  [
    "bad_request",
    [
      "invalid_json",
      "invalid_request",
      "unsupported_responses_feature",
      "unsupported_chat_completions_feature",
      "unsupported_decisions_feature",
      "upstream_bad_request",
      "request_headers_too_large",
      "response_not_found",
      "request_not_found",
      "response_in_progress",
      "continuation_not_found",
      "continuation_expired",
      "continuation_provider_mismatch",
      "continuation_account_mismatch",
    ],
  ],
];

const furtherRows: readonly Row[] = furtherCodes.flatMap(([failure, codes]) =>
  codes.map((code) => ({ failure, code, api: failWith(errorKinds[code].status, code) })),
);

/** By row. The rest is in side-task-time.test.ts. */
export const rows: readonly Row[] = [
  ...furtherRows,
  {
    failure: "unhealthy",
    code: "native_runtime_unavailable",
    api: failWith(503, "native_runtime_unavailable", 5),
  },
  { failure: "unhealthy", code: "native_login_required", api: failWith(503, "native_login_required") },
  { failure: "unhealthy", code: "http_503", api: answerRaw(503, "") },
  { failure: "rate_limited", code: "http_429", api: answerRaw(429, "") },
  { failure: "connection_lost", code: "http_502", api: answerRaw(502, "") },
  { failure: "route_timeout", code: "http_504", api: answerRaw(504, "") },
  { failure: "internal", code: "http_500", api: answerRaw(500, "") },
  { failure: "overloaded", code: "queue_full", api: failWith(429, "queue_full", 1) },
  { failure: "overloaded", code: "queue_timeout", api: failWith(503, "queue_timeout", 1) },
  { failure: "overloaded", code: "server_overloaded", api: failWith(503, "server_overloaded", 1) },
  { failure: "usage_limit", code: "usage_limit_reached", api: failWith(429, "usage_limit_reached", 3600) },
  { failure: "rate_limited", code: "rate_limit_exceeded", api: failWith(429, "rate_limit_exceeded", 2) },
  { failure: "misconfigured", code: "invalid_auth_token", api: failWith(401, "invalid_auth_token") },
  { failure: "misconfigured", code: "host_not_allowed", api: failWith(403, "host_not_allowed") },
  { failure: "misconfigured", code: "http_404", api: answerRaw(404, "<html>another program</html>") },
  { failure: "misconfigured", code: "http_301", api: answerRaw(301, "") },
  { failure: "internal", code: "internal_error", api: failWith(500, "internal_error") },
  { failure: "bad_answer", code: "bad_answer", api: answerRaw(200, "<html>hello</html>") },
  { failure: "bad_answer", code: "bad_answer", api: answerRaw(200, '{"object":"something.else"}') },
  {
    failure: "bad_answer",
    code: "UND_ERR_RES_EXCEEDED_MAX_SIZE",
    api: (_request, response) => response.writeHead(200).end(Buffer.alloc(9 * 1024 * 1024, " ")),
  },
  { failure: "connection_lost", code: "UND_ERR_SOCKET", api: hangUp },
  {
    failure: "connection_lost",
    code: "UND_ERR_SOCKET",
    api: (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"id":', () => response.socket?.destroy());
    },
  },
  {
    failure: "connection_lost",
    code: "upstream_connection_failed",
    api: failWith(502, "upstream_connection_failed"),
  },
  { failure: "connection_lost", code: "turn_cancelled", api: failWith(499, "turn_cancelled") },
  { failure: "route_timeout", code: "turn_stalled", api: failWith(504, "turn_stalled") },
  { failure: "route_timeout", code: "route_timeout", api: hang, request: { timeoutMs: 300 } },
  { failure: "bad_request", code: "context_length_exceeded", api: failWith(400, "context_length_exceeded") },
  { failure: "bad_request", code: "model_not_found", api: failWith(404, "model_not_found") },
  { failure: "bad_request", code: "body_too_large", api: failWith(413, "body_too_large") },
  {
    failure: "content_policy",
    code: "content_policy_violation",
    api: failWith(400, "content_policy_violation"),
  },
  {
    failure: "content_policy",
    code: "refusal",
    api: (_request, response) => {
      const content = [{ type: "refusal", refusal: "I will not." }];
      sendJson(response, 200, responseObject([{ type: "message", role: "assistant", content }]));
    },
  },
  {
    failure: "content_policy",
    code: "content_filter",
    api: respond("half", { status: "incomplete", incomplete_details: { reason: "content_filter" } }),
  },
  { failure: "bad_output", code: "empty_output", api: respond("  ") },
  {
    failure: "bad_output",
    code: "max_output_tokens",
    api: respond("half", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }),
  },
  {
    failure: "bad_output",
    code: "not_json",
    api: respond("no JSON"),
    request: { outputSchema: intentSchema },
  },
  {
    failure: "bad_output",
    code: "schema_mismatch",
    api: respond('{"intent":"poem"}'),
    request: { outputSchema: intentSchema },
  },
  {
    failure: "internal",
    code: "odd",
    api: respond("", { status: "failed", error: { code: "odd", message: "odd" } }),
  },
];
