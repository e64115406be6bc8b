/** The table of what the upstream says, row by row, through the real app-server and over both of its transports. */
import t from "tap";
import { isAtLeast } from "../../src/workers/contract/codex-capabilities.js";
import type { TurnErrorCode } from "../../src/workers/contract/errors.js";
import { testCodexVersion } from "../support/codex-version.js";
import {
  contextLengthExceeded,
  cutConnection,
  hangUp,
  httpError,
  lastEvent,
  lastUserText,
  overloaded,
  type Reply,
  rateLimited,
  resetConnection,
  responseFailed,
  stall,
  streamError,
  usageLimitReached,
} from "../support/offline-backend/index.js";
import { startServiceHarness } from "../support/service-harness.js";
import {
  type AnswerForm,
  ask,
  checkTold,
  type ExpectedWords,
  withoutRetries,
} from "../support/upstream-told.js";

interface Row extends ExpectedWords {
  readonly reply: Reply;
  /** Codex passes it on over this transport only. */
  readonly only?: "websocket";
  /** The minor version of Codex that can tell it from others; any, if there is none. */
  readonly since?: number;
}

const page =
  "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>Blocked</h1></body></html>";
const unsupported = "The 'gpt-5.4' model is not supported when using Codex with a ChatGPT account.";
const said = { message: "It is so." };

function refusal(status: number, code: TurnErrorCode): Row {
  return { reply: httpError(status, said), code, words: /It is so\.|^[^{<]+$/ };
}

function emptyBody(status: number, code: TurnErrorCode): Row {
  return { reply: httpError(status, { bodyText: "" }), code, words: /; no reason came with it\./ };
}

function failed(code: string, own: TurnErrorCode): Row {
  return { reply: responseFailed({ code, message: "It is so." }), code: own };
}

/** An `error` event after the response was created, and its status, if it has one. */
function errorEvent(code: string, status?: number): Reply {
  const error = { type: "invalid_request_error", code, message: "It is so.", param: null };
  return lastEvent({ type: "error", ...(status !== undefined && { status }), error });
}

/** Codex reads no code and no words off such an event: it reports a stream that was cut. */
function dropped(reply: Reply): Row {
  return { reply, code: "upstream_connection_failed", words: /^stream disconnected/ };
}

/** As a WebSocket's error with a status; over server-sent events Codex drops it. */
function passedOn(code: string, status: number, own: TurnErrorCode): Row {
  return { reply: errorEvent(code, status), code: own, only: "websocket", since: 169 };
}

const allRows: Readonly<Record<string, Row>> = {
  400: refusal(400, "upstream_bad_request"),
  401: refusal(401, "native_login_required"),
  402: refusal(402, "upstream_forbidden"),
  403: refusal(403, "upstream_forbidden"),
  404: refusal(404, "upstream_bad_request"),
  408: refusal(408, "upstream_connection_failed"),
  409: refusal(409, "upstream_connection_failed"),
  413: refusal(413, "upstream_bad_request"),
  418: refusal(418, "upstream_bad_request"),
  422: refusal(422, "upstream_bad_request"),
  429: refusal(429, "rate_limit_exceeded"),
  500: refusal(500, "upstream_connection_failed"),
  502: refusal(502, "upstream_connection_failed"),
  503: refusal(503, "server_overloaded"),
  504: refusal(504, "upstream_connection_failed"),
  520: refusal(520, "upstream_connection_failed"),
  529: refusal(529, "server_overloaded"),
  "429 of a burst": { reply: rateLimited(0), code: "rate_limit_exceeded" },
  "429 of the plan's window": { reply: usageLimitReached(), code: "usage_limit_reached" },
  "429 of a quota": {
    reply: httpError(429, { code: "insufficient_quota" }),
    code: "usage_limit_reached",
    since: 160,
  },
  "503 of an overload": { reply: overloaded(), code: "server_overloaded" },
  "400 for the context": {
    reply: httpError(400, { code: "context_length_exceeded" }),
    code: "context_length_exceeded",
  },
  "400 of a policy": {
    reply: httpError(400, { message: "It breaks our usage policies.", code: "content_policy_violation" }),
    words: "It breaks our usage policies.",
    code: "content_policy_violation",
  },
  "400 of the cyber policy": {
    reply: httpError(400, { ...said, code: "cyber_policy" }),
    code: "content_policy_violation",
    words: "It is so.",
  },
  "400 for a model": {
    reply: httpError(400, { body: { detail: unsupported } }),
    code: "model_not_found",
    words: unsupported,
  },
  "404 for a model": {
    reply: httpError(404, { body: { detail: "Model not found" } }),
    code: "model_not_found",
    words: "Model not found",
  },
  "404 for a model by code": {
    reply: httpError(404, { ...said, code: "model_not_found" }),
    since: 169,
    code: "model_not_found",
    words: "It is so.",
  },
  "403 in another shape": {
    reply: httpError(403, { body: { detail: "You may not." } }),
    code: "upstream_forbidden",
    words: "The model backend answered 403 Forbidden: You may not.",
  },
  "400 with a list of faults": {
    reply: httpError(400, { body: { detail: [{ loc: ["body", "input"], msg: "field required" }] } }),
    code: "upstream_bad_request",
    words: "body.input: field required",
  },
  "400 with a page": {
    reply: httpError(400, { bodyText: page, headers: { "content-type": "text/html" } }),
    code: "upstream_bad_request",
    words: "Just a moment... Blocked",
  },
  "403 with a page": {
    reply: httpError(403, { bodyText: page, headers: { "content-type": "text/html", "cf-ray": "abc-FRA" } }),
    code: "upstream_forbidden",
    words: "The model backend answered 403 Forbidden: Just a moment... Blocked",
  },
  "502 with a page": {
    reply: httpError(502, { bodyText: page }),
    code: "upstream_connection_failed",
    words: /Bad Gateway: Just a moment/,
  },
  "400 with a sentence": {
    reply: httpError(400, { bodyText: "Not today.", headers: { "content-type": "text/plain" } }),
    code: "upstream_bad_request",
    words: "Not today.",
  },
  "400 without a word": emptyBody(400, "upstream_bad_request"),
  "401 without a word": emptyBody(401, "native_login_required"),
  "403 without a word": emptyBody(403, "upstream_forbidden"),
  "404 without a word": emptyBody(404, "upstream_bad_request"),
  "429 without a word": emptyBody(429, "rate_limit_exceeded"),
  "502 without a word": emptyBody(502, "upstream_connection_failed"),
  "503 without a word": emptyBody(503, "server_overloaded"),
  "400 that names its own address": {
    reply: httpError(400, { message: "Ask http://127.0.0.1:4000/v1/responses or 10.0.0.7:443 again." }),
    code: "upstream_bad_request",
    words: "Ask [address] or [address] again.",
  },
  "failed: server_error": failed("server_error", "upstream_connection_failed"),
  "failed: rate_limit_exceeded": { ...failed("rate_limit_exceeded", "rate_limit_exceeded"), since: 160 },
  "failed: slow_down": { ...failed("slow_down", "rate_limit_exceeded"), since: 160 },
  "failed: server_is_overloaded": failed("server_is_overloaded", "server_overloaded"),
  "failed: insufficient_quota": failed("insufficient_quota", "usage_limit_reached"),
  "failed: usage_not_included": failed("usage_not_included", "usage_limit_reached"),
  "failed: invalid_prompt": failed("invalid_prompt", "upstream_bad_request"),
  "failed: cyber_policy": failed("cyber_policy", "content_policy_violation"),
  "failed: context": { reply: contextLengthExceeded(), code: "context_length_exceeded" },
  "failed: another": failed("something_new", "upstream_connection_failed"),
  "an error event": dropped(streamError({ code: "server_error", message: "It is so." })),
  "an error event of a burst": dropped(streamError({ code: "rate_limit_exceeded", message: "It is so." })),
  "a nested error event of a burst": dropped(errorEvent("rate_limit_exceeded")),
  "a nested error event of an overload": dropped(errorEvent("server_is_overloaded")),
  "a nested error event of a prompt": dropped(errorEvent("invalid_prompt")),
  "a nested error event of the context": {
    reply: errorEvent("context_length_exceeded"),
    code: "context_length_exceeded",
    since: 169,
  },
  "a nested error event of a model": {
    reply: errorEvent("model_not_found"),
    code: "model_not_found",
    words: "It is so.",
    since: 169,
  },
  "an error event with a status: burst": passedOn("rate_limit_exceeded", 429, "rate_limit_exceeded"),
  "an error event with a status: quota": passedOn("insufficient_quota", 429, "usage_limit_reached"),
  "an error event with a status: prompt": passedOn("invalid_prompt", 400, "upstream_bad_request"),
  "an error event with a status: overload": passedOn("server_is_overloaded", 503, "server_overloaded"),
  "an error event with a status: policy": passedOn("cyber_policy", 400, "content_policy_violation"),
  "failed without a message": {
    reply: responseFailed({ code: "server_error", message: "" }),
    code: "upstream_connection_failed",
    words: /[^:\s]$/,
  },
  "reset before an answer": { reply: resetConnection(), code: "upstream_connection_failed" },
  "closed before an answer": { reply: hangUp(), code: "upstream_connection_failed" },
  "closed as going away": { reply: hangUp(1001, "going away"), code: "upstream_connection_failed" },
  "closed with an error": { reply: hangUp(1011, "boom"), code: "upstream_connection_failed" },
  "cut before its end": { reply: cutConnection({ afterDeltas: 0 }), code: "upstream_connection_failed" },
  "silent before its end": { reply: stall({ afterDeltas: 0 }), code: "upstream_connection_failed" },
};

const rows = Object.entries(allRows).filter(([, { since = 0 }]) => isAtLeast(testCodexVersion, 0, since));

const forms: readonly AnswerForm[] = [
  "response",
  "response stream",
  "chat completion",
  "chat completion stream",
];

for (const supportsWebSockets of [false, true]) {
  const transport = supportsWebSockets ? "a WebSocket" : "server-sent events";
  t.test(`over ${transport} each row of the table has its code, status and words`, async (t) => {
    const harness = await startServiceHarness(t, {
      provider: { ...withoutRetries, supportsWebSockets },
      env: {
        // However busy the machine is.
        CODEX_NATIVE_API_STREAM_HEAD_HOLD_MS: "100000",
        // Each refusal is to be seen.
        CODEX_NATIVE_API_UPSTREAM_LIMIT: "none",
      },
    });
    const tried = rows.filter(([, { only }]) => only === undefined || supportsWebSockets);
    for (const [name, row] of tried) {
      harness.backend.whenReply((request) => lastUserText(request) === name, row.reply);
    }
    await harness.untilReady();
    // Each row whole over one transport and as a stream over the other.
    const asked = tried.map(([name, row], index) => {
      const form = forms[(index + (supportsWebSockets ? 1 : 0)) % forms.length] ?? "response";
      return { name, row, form };
    });
    // A few at a time: a burst would try how Codex takes bursts.
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let next = asked.shift(); next !== undefined; next = asked.shift()) {
          const { name, row, form } = next;
          checkTold(t, `${name}, ${form}`, await ask(harness, name, form), row);
        }
      }),
    );
  });
}
