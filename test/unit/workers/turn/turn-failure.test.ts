import t, { type Test } from "tap";
import { errorKinds } from "../../../../src/main/errors.js";
import type { TurnErrorCode } from "../../../../src/workers/contract/errors.js";
import { classifyFailure, describeFailure } from "../../../../src/workers/turn/turn-failure.js";
import {
  codeOfUpstreamStatus,
  codexErrorKinds,
  networkFaults,
  upstreamBodyCodes,
  upstreamStatuses,
} from "../../../../src/workers/turn/upstream-faults.js";

/** Code, HTTP status and whether a retry helps, of each row: a change of the table must change this too. */
type Row = readonly [code: TurnErrorCode, status: number, retryable: boolean];

const refused: Row = ["upstream_bad_request", 400, false];
const forbidden: Row = ["upstream_forbidden", 403, false];
const policy: Row = ["content_policy_violation", 400, false];
const model: Row = ["model_not_found", 404, false];
const burst: Row = ["rate_limit_exceeded", 429, true];
const usedUp: Row = ["usage_limit_reached", 429, false];
const login: Row = ["native_login_required", 503, false];
const overloaded: Row = ["server_overloaded", 503, true];
const unreachable: Row = ["upstream_connection_failed", 502, true];
const context: Row = ["context_length_exceeded", 400, false];
const internal: Row = ["internal_error", 500, false];

function check(t: Test, [code, status, retryable]: Row, error: Parameters<typeof describeFailure>[0]): void {
  const failure = describeFailure(error);
  t.equal(failure.code, code);
  t.match(errorKinds[failure.code], { status, retryable });
}

const kinds: Readonly<Record<string, Row>> = {
  contextWindowExceeded: context,
  sessionBudgetExceeded: usedUp,
  usageLimitExceeded: usedUp,
  rateLimitExceeded: burst,
  flexUnavailable: overloaded,
  serverOverloaded: overloaded,
  policyCapacityUnavailable: overloaded,
  modelNotFound: model,
  inferenceHookDenied: policy,
  cyberPolicy: policy,
  bioPolicy: policy,
  misalignmentPolicyViolation: policy,
  unauthorized: login,
  badRequest: refused,
  internalServerError: unreachable,
  httpConnectionFailed: unreachable,
  responseStreamConnectionFailed: unreachable,
  responseStreamDisconnected: unreachable,
  responseTooManyFailedAttempts: unreachable,
  other: refused,
  tooManyDenials: internal,
  threadRollbackFailed: internal,
  sandboxError: internal,
  activeTurnNotSteerable: internal,
};

t.test("every kind of Codex's has its row", async (t) => {
  t.strictSame(Object.keys(codexErrorKinds).sort(), Object.keys(kinds).sort());
  for (const [kind, row] of Object.entries(kinds)) {
    t.test(`${kind} is ${row.join(" ")}`, async (t) => {
      check(t, row, { message: "words of it", codexErrorInfo: kind });
      check(t, row, { message: "words of it", codexErrorInfo: { [kind]: { httpStatusCode: null } } });
    });
  }
});

const statuses: Readonly<Record<number, Row>> = {
  400: refused,
  401: login,
  402: forbidden,
  403: forbidden,
  404: refused,
  407: unreachable,
  408: unreachable,
  409: unreachable,
  413: refused,
  422: refused,
  425: unreachable,
  429: burst,
  451: forbidden,
  500: unreachable,
  502: unreachable,
  503: overloaded,
  504: unreachable,
  529: overloaded,
  // By their class.
  307: unreachable,
  405: refused,
  418: refused,
  501: unreachable,
  520: unreachable,
};

t.test("every HTTP status of the backend has its row or its class's, in each of Codex's forms", async (t) => {
  for (const status of Object.keys(upstreamStatuses).map(Number)) t.ok(statuses[status], `${status}`);
  for (const [text, row] of Object.entries(statuses)) {
    const status = Number(text);
    t.equal(codeOfUpstreamStatus(status), row[0]);
    t.test(`${status} is ${row.join(" ")}`, async (t) => {
      for (const kind of [
        "httpConnectionFailed",
        "responseStreamConnectionFailed",
        "responseStreamDisconnected",
        "responseTooManyFailedAttempts",
      ]) {
        check(t, row, { message: "it failed", codexErrorInfo: { [kind]: { httpStatusCode: status } } });
      }
      const url = "url: https://backend.example:8443/v1/responses, cf-ray: 8f2-FRA, request id: req_1";
      const message = `unexpected status ${status} Some Reason: {"error":{"message":"It is so."}}, ${url}`;
      check(t, row, { message, codexErrorInfo: "other" });
      t.equal(
        describeFailure({ message, codexErrorInfo: "other" }).message,
        status === 400 ? "It is so." : `The model backend answered ${status} Some Reason: It is so.`,
      );
      check(t, row, { message: `exceeded retry limit, last status: ${status} Some Reason` });
      const event = { type: "error", status, error: { message: "It is so." }, headers: {} };
      if (status >= 400) check(t, row, { message: JSON.stringify(event), codexErrorInfo: "other" });
    });
  }
});

/** As Codex 0.140 to 0.171 word them. */
const networkTexts: readonly string[] = [
  "error sending request for url (http://127.0.0.1:4000/oauth/token)",
  "error sending request",
  "Connection failed: error sending request",
  "Reconnecting... waiting for network",
  "Connection refused (os error 111)",
  "Connection reset by peer (os error 104)",
  "Network is unreachable (os error 101)",
  "stream disconnected before completion: error sending request",
  "stream disconnected before completion: Connection refused (os error 111)",
  "stream disconnected before completion: websocket closed by server before response.completed",
  "stream disconnected before completion: Transport error: network error: error decoding response body",
  "stream disconnected before completion: idle timeout waiting for SSE",
  "stream closed before response.completed",
  "idle timeout waiting for websocket",
  "request timed out",
  "timeout",
  "dns error: failed to lookup address information: Name or service not known",
  "failed to lookup address information: Temporary failure in name resolution",
  "invalid peer certificate: UnknownIssuer",
  "tls handshake eof",
  "tcp connect error: deadline has elapsed",
  "websocket closed by server",
];

t.test("every fault of the network is one, and may be tried again", async (t) => {
  for (const message of networkTexts) {
    t.test(message, async (t) => check(t, unreachable, { message, codexErrorInfo: "other" }));
  }
  for (const { fault, words } of networkFaults) {
    t.ok(
      networkTexts.some((text) => words.test(text)),
      `there is a text for: ${fault}`,
    );
  }
});

t.test(
  "a refused upgrade for too many connections may be tried again; a refused request may not",
  async (t) => {
    const info = { httpConnectionFailed: { httpStatusCode: 403 } };
    const words = "unexpected status 403 Forbidden: no more, url: ";
    check(t, burst, { message: `${words}wss://backend.example/v1/responses`, codexErrorInfo: info });
    check(t, forbidden, { message: `${words}https://backend.example/v1/responses`, codexErrorInfo: info });
    const upgrade = describeFailure({ message: `${words}ws://10.0.0.1/x`, codexErrorInfo: info }).message;
    t.equal(upgrade, "The model backend refused a connection with 403 Forbidden: no more");
  },
);

t.test("a login that could not be refreshed is the login's fault, or the network's", async (t) => {
  const refreshes: readonly [status: string, row: Row][] = [
    ["400 Bad Request", login],
    ["401 Unauthorized", login],
    ["403 Forbidden", login],
    ["404 Not Found", login],
    ["408 Request Timeout", unreachable],
    ["429 Too Many Requests", burst],
    ["500 Internal Server Error", unreachable],
    ["503 Service Unavailable", overloaded],
  ];
  for (const [status, row] of refreshes) {
    check(t, row, { message: `Failed to refresh token: ${status}`, codexErrorInfo: "other" });
  }
});

t.test("every code of the backend's own has its row, in a body of any form", async (t) => {
  const rows = { ...errorKinds };
  for (const [code, own] of Object.entries(upstreamBodyCodes)) {
    t.ok(rows[own]);
    for (const body of [
      { error: { message: "It is so.", code } },
      { error: { message: "It is so.", type: code } },
      { type: "error", status: 400, error: { message: "It is so.", code }, headers: {} },
      { detail: { message: "It is so.", code } },
      { message: "It is so.", code },
    ]) {
      const failure = describeFailure({ message: JSON.stringify(body), codexErrorInfo: "other" });
      t.match(failure, { code: own, message: "It is so." }, `${code} in ${JSON.stringify(body)}`);
    }
  }
});

const modelRefused = [
  "The 'gpt-5.4' model is not supported when using Codex with a ChatGPT account.",
  "Model not found gpt-5.6-luna",
  "Model not found",
  "The model `gpt-9` does not exist or you do not have access to it.",
  "The requested model 'gpt-9' does not exist.",
  "model 'x' not found",
  "Unsupported model: gpt-9",
];
const modelMentioned = [
  "Unsupported value: 'xhigh' is not supported with the 'gpt-5.4' model.",
  "Unsupported parameter: 'top_p' is not supported with this model.",
  "Invalid model parameter.",
  "The model is thinking.",
  "Image input is not supported for this model.",
];

t.test("a model that the backend does not offer is not found, with the backend's words", async (t) => {
  for (const words of modelRefused) {
    for (const body of [
      { detail: words },
      { error: { message: words } },
      { type: "error", status: 400, detail: words },
    ]) {
      const error = { message: JSON.stringify(body), codexErrorInfo: "other" };
      check(t, model, error);
      t.match(describeFailure(error), { message: words, param: "model" });
    }
    const info = { httpConnectionFailed: { httpStatusCode: 404 } };
    const message = `unexpected status 404 Not Found: {"detail":${JSON.stringify(words)}}, url: http://x/y`;
    t.match(describeFailure({ message, codexErrorInfo: info }), { code: "model_not_found", message: words });
  }
  for (const words of modelMentioned) {
    check(t, refused, { message: JSON.stringify({ detail: words }), codexErrorInfo: "other" });
  }
});

t.test("a policy's refusal is one by its words alone, and by the name of a kind yet to come", async (t) => {
  check(t, policy, {
    message: "This was flagged as potentially violating our usage policy.",
    codexErrorInfo: "other",
  });
  check(t, policy, { message: "no", codexErrorInfo: "radioPolicy" });
  check(t, internal, { message: "something nobody has seen", codexErrorInfo: { brandNewKind: {} } });
  check(t, refused, { message: "This is against our policies.", codexErrorInfo: "other" });
});

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
    error: { message: "Unsupported value", param: "reasoning.effort", upstreamStatus: undefined },
  });
});

t.test("a wait that the backend names in words is handed on", async (t) => {
  const waits: readonly [words: string, ms: number | undefined][] = [
    ["rate limit exceeded: Please try again in 1.898s.", 1898],
    ["Please try again in 20ms.", 20],
    ["try again in 2 minutes", 120_000],
    ["Please try again in 1 second", 1000],
    ["Please try again later.", undefined],
  ];
  for (const [message, ms] of waits) {
    t.equal(describeFailure({ message, codexErrorInfo: "rateLimitExceeded" }).retryAfterMs, ms, message);
  }
});

t.test("a refusal that no wait mends names none, whatever its words say", async (t) => {
  for (const kind of ["badRequest", "cyberPolicy", "contextWindowExceeded", "unauthorized"]) {
    const failure = describeFailure({ message: "Please try again in 3s.", codexErrorInfo: kind });
    t.equal(failure.retryAfterMs, undefined, failure.code);
  }
});

t.test("where no reason came, the status says it, and no filler and no dangling colon", async (t) => {
  const said = (message: string) => describeFailure({ message, codexErrorInfo: "other" }).message;
  const noReason = "no reason came with it.";
  for (const [message, words] of [
    [
      "unexpected status 403 Forbidden: Unknown error",
      `The model backend answered 403 Forbidden; ${noReason}`,
    ],
    [
      "unexpected status 502 Bad Gateway: unknown error.",
      `The model backend answered 502 Bad Gateway; ${noReason}`,
    ],
    [
      "unexpected status 401 Unauthorized: Unknown error, url: http://127.0.0.1:9/v1/responses",
      `The model backend answered 401 Unauthorized; ${noReason} Log in again with \`codex login\`.`,
    ],
    [
      "unexpected status 503 Service Unavailable: Unknown error, url: wss://127.0.0.1:9/v1/responses, cf-ray: abc",
      `The model backend refused a connection with 503 Service Unavailable; ${noReason}`,
    ],
    ['{"error":{"message":"Unknown error"}}', `The model backend refused the request; ${noReason}`],
    ["{}", `The model backend refused the request; ${noReason}`],
    ["stream disconnected before completion: ", "stream disconnected before completion"],
    ["An unknown error occurred in tool 3", "An unknown error occurred in tool 3"],
  ] as const) {
    t.equal(said(message), words);
  }
});
