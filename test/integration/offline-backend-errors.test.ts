import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { removeTree } from "../../src/main/codex/home/private-files.js";
import { CodexDriver } from "../support/offline-backend/codex-driver.js";
import {
  contextLengthExceeded,
  createChatGptLogin,
  cutConnection,
  httpError,
  incomplete,
  OfflineBackend,
  overloaded,
  type Reply,
  rateLimited,
  responseFailed,
  stall,
  usageLimitReached,
} from "../support/offline-backend/index.js";

/**
 * What the real Codex makes of each failure: the `codexErrorInfo` and the message of the failed turn, retries
 * off. A pin: when a new binary changes a line, the service's error mapping has to be looked at.
 */
const TABLE: readonly (readonly [name: string, reply: Reply, info: unknown, message: RegExp])[] = [
  ["400", httpError(400, { code: "invalid_value", message: "bad" }), "other", /"code":"invalid_value"/],
  [
    "400 context",
    httpError(400, { code: "context_length_exceeded" }),
    "contextWindowExceeded",
    /ran out of room/,
  ],
  ["400 policy", httpError(400, { code: "content_policy_violation", message: "no" }), "other", /^no$/],
  ["400 cyber", httpError(400, { code: "cyber_policy", message: "no" }), "cyberPolicy", /^no$/],
  ["403", httpError(403), { httpConnectionFailed: { httpStatusCode: 403 } }, /status 403 Forbidden/],
  ["404 model", httpError(404, { code: "model_not_found", message: "gone" }), "modelNotFound", /^gone$/],
  ["usage limit", usageLimitReached(), "usageLimitExceeded", /hit your usage limit/],
  ["429 quota", httpError(429, { code: "insufficient_quota" }), "usageLimitExceeded", /Quota exceeded/],
  ["429", rateLimited(0), { responseTooManyFailedAttempts: { httpStatusCode: 429 } }, /429 Too Many/],
  ["500", httpError(500), "internalServerError", /high demand/],
  ["503", httpError(503), { httpConnectionFailed: { httpStatusCode: 503 } }, /status 503/],
  ["503 overloaded", overloaded(), "serverOverloaded", /at capacity/],
  ["failed context", contextLengthExceeded(), "contextWindowExceeded", /ran out of room/],
  [
    "failed overloaded",
    responseFailed({ code: "server_is_overloaded", message: "" }),
    "serverOverloaded",
    /capacity/,
  ],
  ["failed prompt", responseFailed({ code: "invalid_prompt", message: "no" }), "other", /^no$/],
  ["failed", responseFailed({ code: "server_error", message: "boom" }), "other", /before completion: boom/],
  [
    "incomplete",
    incomplete({ reason: "max_output_tokens", text: "half" }),
    "other",
    /reason: max_output_tokens$/,
  ],
  ["filtered", incomplete({ reason: "content_filter" }), "other", /reason: content_filter$/],
  ["cut", cutConnection({ afterDeltas: 1 }), "other", /stream disconnected before completion/],
  ["stall", stall({ afterDeltas: 1 }), "other", /idle timeout waiting for SSE/],
];

for (const supportsWebSockets of [false, true]) {
  t.test(`failures over ${supportsWebSockets ? "WebSocket" : "SSE"} are told as pinned`, async (t) => {
    const backend = await OfflineBackend.start();
    const home = await mkdtemp(join(tmpdir(), "offline-backend-"));
    const provider = {
      supportsWebSockets,
      requestMaxRetries: 0,
      streamMaxRetries: 0,
      streamIdleTimeoutMs: 1_000,
    };
    await createChatGptLogin({ home, backend, provider });
    const codex = await CodexDriver.start(home, backend.environment());
    t.teardown(async () => {
      await codex.stop();
      await backend.close();
      await removeTree(home);
    });
    for (const [name, reply, codexErrorInfo, message] of TABLE) {
      backend.setDefaultReply(reply);
      const { turn } = await codex.runTurn(await codex.startThread(), name);
      t.match(turn, { status: "failed", error: { codexErrorInfo, message } }, name);
    }
  });
}
