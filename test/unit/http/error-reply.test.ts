import t from "tap";
import { describeError } from "../../../src/main/dialects/answers/error-body.js";
import { CodexNativeApiError, errorKinds } from "../../../src/main/errors.js";
import { describeErrorHeaders, toApiError } from "../../../src/main/http/error-reply.js";

t.test("an error has OpenAI's shape", async (t) => {
  const error = new CodexNativeApiError("model_not_found", "No such model.", { param: "model" });
  t.strictSame(describeError(error), {
    error: {
      message: "No such model.",
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    },
  });
});

t.test("official clients are told not to retry what a retry cannot mend", async (t) => {
  const error = new CodexNativeApiError("continuation_account_mismatch", "x");
  t.strictSame(describeErrorHeaders(error), { "x-should-retry": "false" });
});

t.test("and when to retry what it can", async (t) => {
  const afterOf = (retryAfterMs?: number) =>
    describeErrorHeaders(
      new CodexNativeApiError("queue_full", "x", retryAfterMs === undefined ? {} : { retryAfterMs }),
    );
  t.strictSame(afterOf(), { "retry-after": "1" });
  t.strictSame(afterOf(2001), { "retry-after": "3" });
  t.strictSame(afterOf(1), { "retry-after": "1" });
});

t.test("a used-up plan says when it is renewed, though an early retry is of no use", async (t) => {
  const error = new CodexNativeApiError("usage_limit_reached", "x", { retryAfterMs: 3_600_000 });
  t.strictSame(describeErrorHeaders(error), { "x-should-retry": "false", "retry-after": "3600" });
});

t.test("what is not ours says nothing of itself", async (t) => {
  for (const fault of [new Error("ENOENT: /home/user/.codex/auth.json"), "text", null, { code: 7 }]) {
    const error = toApiError(fault);
    t.equal(error.code, "internal_error");
    t.notMatch(JSON.stringify(describeError(error)), /ENOENT|home|stack/);
    t.equal(error.cause, fault);
  }
});

t.test("every code has a status an HTTP answer can bear", async (t) => {
  for (const [code, { status }] of Object.entries(errorKinds)) t.ok(status >= 400 && status < 600, code);
});
