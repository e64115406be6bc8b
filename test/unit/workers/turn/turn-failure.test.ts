import t from "tap";
import type { TurnErrorCode } from "../../../../src/workers/contract/errors.js";
import { classifyFailure, publicText } from "../../../../src/workers/turn/turn-failure.js";

/** As the real Codex 0.169 words them. */
const failures: readonly [message: string, codexErrorInfo: unknown, code: TurnErrorCode][] = [
  [
    '{"error":{"message":"Bad thing","type":"invalid_request_error","code":"x"}}',
    "other",
    "upstream_bad_request",
  ],
  ["Codex ran out of room in the model's context window", "contextWindowExceeded", "context_length_exceeded"],
  ["This was flagged as potentially violating our usage policy.", "other", "content_policy_violation"],
  ["no", "cyberPolicy", "content_policy_violation"],
  [
    "unexpected status 401 Unauthorized: x",
    { httpConnectionFailed: { httpStatusCode: 401 } },
    "native_login_required",
  ],
  ["Your access token could not be refreshed", "unauthorized", "native_login_required"],
  [
    "unexpected status 403 Forbidden",
    { httpConnectionFailed: { httpStatusCode: 403 } },
    "upstream_connection_failed",
  ],
  ["no such model", "modelNotFound", "model_not_found"],
  ["You've hit your usage limit.", "usageLimitExceeded", "usage_limit_reached"],
  ["exceeded retry limit", { responseTooManyFailedAttempts: { httpStatusCode: 429 } }, "rate_limit_exceeded"],
  ["rate limit exceeded: x", "rateLimitExceeded", "rate_limit_exceeded"],
  ["We're currently experiencing high demand", "internalServerError", "upstream_connection_failed"],
  ["unexpected status 502", { httpConnectionFailed: { httpStatusCode: 502 } }, "upstream_connection_failed"],
  ["unexpected status 503", { httpConnectionFailed: { httpStatusCode: 503 } }, "server_overloaded"],
  ["Selected model is at capacity", "serverOverloaded", "server_overloaded"],
  ["stream disconnected before completion: boom", "other", "upstream_connection_failed"],
  ["stream closed before response.completed", "other", "upstream_connection_failed"],
  ["This is against our policies.", "other", "upstream_bad_request"],
  ["something nobody has seen", { brandNewKind: {} }, "internal_error"],
];

for (const [message, codexErrorInfo, code] of failures) {
  t.test(`${JSON.stringify(codexErrorInfo)} "${message.slice(0, 40)}" is ${code}`, async (t) => {
    t.match(classifyFailure({ message, codexErrorInfo }), { status: "failed", error: { code } });
  });
}

t.test("an incomplete response is not a failure, in either of Codex's wordings", async (t) => {
  const incomplete = "Incomplete response returned, reason: max_output_tokens";
  t.same(classifyFailure({ message: incomplete, codexErrorInfo: "other" }), {
    status: "incomplete",
    reason: "max_output_tokens",
  });
  t.same(
    classifyFailure({
      message: "stream disconnected before completion: Incomplete response returned, reason: content_filter",
      codexErrorInfo: "other",
    }),
    { status: "incomplete", reason: "content_filter" },
  );
});

t.test("the upstream's own sentence and field are taken out of its body", async (t) => {
  const body = {
    error: { message: "Unsupported value", code: "unsupported_value", param: "reasoning.effort" },
  };
  t.match(classifyFailure({ message: JSON.stringify(body), codexErrorInfo: "other" }), {
    error: { message: "Unsupported value", param: "reasoning.effort", upstreamStatus: 400 },
  });
});

t.test("no path of this machine and no endless text reaches a caller", async (t) => {
  t.equal(publicText("cannot read /home/me/.codex/auth.json: denied"), "cannot read [path]: denied");
  for (const path of [
    "/root/.codex/auth.json",
    "config:/root/.codex/auth.json",
    "(/root/a/b)",
    "file:///root/.codex/auth.json",
    "file://localhost/root/a",
    "~/.codex/auth.json",
    String.raw`C:\Users\me\.codex\auth.json`,
    String.raw`\\box\share\auth.json`,
  ]) {
    t.notMatch(publicText(`cannot read ${path}: denied`), /root|codex|Users|share/, path);
  }
  t.equal(publicText("either/or, 1/2/3, application/json"), "either/or, 1/2/3, application/json");
  t.equal(publicText("see http://127.0.0.1:80/v1/responses"), "see http://127.0.0.1:80/v1/responses");
  t.ok(publicText("x".repeat(10_000)).length < 2100);
});
