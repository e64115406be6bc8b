/**
 * The error table, each code provoked through the whole service and read by the official client. Two codes cannot be: a chain
 * belongs to the one provider profile of its service (`continuation_provider_mismatch`), and nothing known ends in
 * `internal_error`.
 */
import OpenAI from "openai";
import t, { type Test } from "tap";
import { request } from "undici";
import {
  contextLengthExceeded,
  cutConnection,
  httpError,
  lastUserText,
  overloaded,
  type Reply,
  rateLimited,
  reply,
  responseFailed,
  stall,
  switchAccount,
  text,
  usageLimitReached,
} from "../support/offline-backend/index.js";
import { pollUntil, type ServiceHarness, startServiceHarness } from "../support/service-harness.js";

interface Expected {
  readonly status: number;
  readonly code: string;
  readonly type: abstract new (...args: never) => InstanceType<typeof OpenAI.APIError>;
  readonly param?: string;
  /** Default false: the official clients are told not to. */
  readonly retry?: boolean;
  /** Seconds. Default: 1 where a retry helps, none elsewhere. */
  readonly retryAfter?: number | null;
}

/** What the official client makes of the answer. */
async function faultOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "it was answered",
    (error: unknown) => error,
  );
}

function checkFault(t: Test, fault: unknown, expected: Expected): void {
  const { code, status, type, param = null, retry = false } = expected;
  if (!(fault instanceof OpenAI.APIError)) {
    t.fail(`${code}: not an error of the API's`, { fault });
    return;
  }
  t.equal(fault.constructor, type, `${code}: ${fault.constructor.name}`);
  t.match(fault, { status, code, param, requestID: /^req_/ }, code);
  t.match(fault.error, { message: /\S/, type: /^[a-z_]+$/, code }, `${code}: OpenAI's shape`);
  const headers: Headers = fault.headers;
  t.equal(headers.get("x-should-retry"), retry ? null : "false", `${code}: x-should-retry`);
  const { retryAfter = retry ? 1 : null } = expected;
  const seconds = headers.get("retry-after");
  t.equal(seconds === null ? null : Number(seconds), retryAfter, `${code}: Retry-After`);
}

/** The client with its requests changed on their way out. */
function changed(client: OpenAI, change: (init: RequestInit) => RequestInit): OpenAI {
  return client.withOptions({ fetch: (url, init) => fetch(url, change(init ?? {})) });
}

function withHeader(client: OpenAI, name: string, value: string): OpenAI {
  return changed(client, (init) => {
    const headers = new Headers(init.headers);
    headers.set(name, value);
    return { ...init, headers };
  });
}

const token = "correct-horse-battery";
const hello = { input: "hello" } as const;
const { APIError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } = OpenAI;

const refusals: readonly (Expected & { readonly provoke: (client: OpenAI) => Promise<unknown> })[] = [
  {
    status: 400,
    code: "invalid_json",
    type: BadRequestError,
    provoke: (client) => changed(client, (init) => ({ ...init, body: "{" })).responses.create(hello),
  },
  {
    status: 400,
    code: "invalid_request",
    param: "input[1].content[0].text",
    type: BadRequestError,
    provoke: (client) =>
      client.post("/responses", {
        body: {
          input: [
            { role: "user", content: "a" },
            { role: "user", content: [{ type: "input_text", text: 3 }] },
          ],
        },
      }),
  },
  {
    status: 400,
    code: "unsupported_responses_feature",
    param: "tools[0].type",
    type: BadRequestError,
    provoke: (client) =>
      client.responses.create({
        ...hello,
        tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }],
      }),
  },
  {
    status: 415,
    code: "unsupported_media_type",
    type: APIError,
    provoke: (client) => withHeader(client, "content-type", "text/plain").responses.create(hello),
  },
  {
    status: 413,
    code: "body_too_large",
    type: APIError,
    provoke: (client) => client.responses.create({ input: "x".repeat(5000) }),
  },
  { status: 405, code: "method_not_allowed", type: APIError, provoke: (client) => client.get("/responses") },
  { status: 404, code: "route_not_found", type: NotFoundError, provoke: (client) => client.get("/nowhere") },
  {
    status: 401,
    code: "invalid_auth_token",
    type: OpenAI.AuthenticationError,
    provoke: (client) => client.withOptions({ apiKey: "wrong" }).responses.create(hello),
  },
  {
    status: 403,
    code: "origin_not_allowed",
    type: OpenAI.PermissionDeniedError,
    provoke: (client) => withHeader(client, "origin", "https://evil.example").responses.create(hello),
  },
  {
    status: 404,
    code: "model_not_found",
    param: "model",
    type: NotFoundError,
    provoke: (client) => client.responses.create({ ...hello, model: "no-such-model" }),
  },
  {
    status: 404,
    code: "response_not_found",
    param: "response_id",
    type: NotFoundError,
    provoke: (client) => client.responses.retrieve("resp_none"),
  },
  {
    status: 404,
    code: "continuation_not_found",
    param: "previous_response_id",
    type: NotFoundError,
    provoke: (client) => client.responses.create({ ...hello, previous_response_id: "resp_none" }),
  },
  {
    status: 501,
    code: "not_implemented",
    type: InternalServerError,
    provoke: (client) => client.responses.compact({ model: "gpt-5.4", input: "hello" }),
  },
];

t.test("what cannot be served is refused by name, before any model is asked", async (t) => {
  const { backend, client } = await startServiceHarness(t, {
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token, CODEX_NATIVE_API_MAX_BODY_BYTES: "4096" },
  });
  for (const { provoke, ...expected } of refusals) {
    checkFault(t, await faultOf(provoke(client)), expected);
  }
  t.equal(backend.requests.length, 0);
});

t.test("a wrong method is told the right ones, and a missing token what to present", async (t) => {
  const { url } = await startServiceHarness(t, {
    login: "none",
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token },
  });
  const headers = { authorization: `Bearer ${token}` };
  const methods = { "/responses": "POST", "/responses/resp_x": "GET, HEAD, DELETE" };
  for (const [path, allowed] of Object.entries(methods)) {
    const answer = await fetch(`${url}/v1${path}`, { method: "PUT", headers });
    t.equal(answer.status, 405);
    t.equal(answer.headers.get("allow"), allowed, path);
  }
  const challenge = async (init: RequestInit) => {
    const answer = await fetch(`${url}/v1/responses/resp_x`, init);
    t.equal(answer.status, 401);
    return answer.headers.get("www-authenticate");
  };
  t.equal(await challenge({}), 'Bearer realm="codex-native-api"');
  t.equal(
    await challenge({ headers: { authorization: "Bearer wrong" } }),
    'Bearer realm="codex-native-api", error="invalid_token"',
  );
});

t.test("a request that names another host is refused", async (t) => {
  const { url } = await startServiceHarness(t, { login: "none" });
  // fetch, and so the official client, cannot send it.
  const { statusCode, headers, body } = await request(`${url}/v1/responses`, {
    method: "POST",
    headers: { host: "evil.example", "content-type": "application/json" },
    body: JSON.stringify(hello),
  });
  t.equal(statusCode, 403);
  t.equal(headers["x-should-retry"], "false");
  t.match(await body.json(), { error: { code: "host_not_allowed", type: "permission_error", param: null } });
});

t.test("a stream that is refused before it begins is an HTTP error", async (t) => {
  const { client } = await startServiceHarness(t);
  const fault = await faultOf(client.responses.create({ ...hello, model: "no-such-model", stream: true }));
  checkFault(t, fault, { status: 404, code: "model_not_found", param: "model", type: NotFoundError });
});

t.test("a chain that was not used in its time is expired", async (t) => {
  const { backend, client } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_CONTINUATION_TTL_MS: "1" },
  });
  const { id } = await client.responses.create(hello);
  checkFault(t, await faultOf(client.responses.create({ ...hello, previous_response_id: id })), {
    status: 410,
    code: "continuation_expired",
    param: "previous_response_id",
    type: APIError,
  });
  t.equal(backend.requests.length, 1);
});

t.test("a chain of another account is refused", async (t) => {
  const { backend, client, service, userHome } = await startServiceHarness(t);
  const { id } = await client.responses.create(hello);
  await switchAccount(userHome, { backend, accountId: "acct-offline-2", email: "second@example.test" });
  await pollUntil(() => service.health()?.account?.id === "acct-offline-2");
  checkFault(t, await faultOf(client.responses.create({ ...hello, previous_response_id: id })), {
    status: 409,
    code: "continuation_account_mismatch",
    param: "previous_response_id",
    type: OpenAI.ConflictError,
  });
  t.equal(backend.requests.length, 1);
});

t.test("a full queue is told at once, a long wait when it was too long", async (t) => {
  const { backend, client, service } = await startServiceHarness(t, {
    login: "provider",
    env: {
      CODEX_NATIVE_API_MAX_CONCURRENT_TURNS: "1",
      CODEX_NATIVE_API_MAX_QUEUE: "1",
      CODEX_NATIVE_API_QUEUE_TIMEOUT_MS: "500",
    },
  });
  backend.setDefaultReply(stall());
  const abort = new AbortController();
  const running = faultOf(client.responses.create(hello, { signal: abort.signal }));
  await backend.waitForRequest();
  const waiting = faultOf(client.responses.create(hello));
  await pollUntil(() => service.health()?.queue.depth === 1);
  checkFault(t, await faultOf(client.responses.create(hello)), {
    status: 429,
    code: "queue_full",
    type: RateLimitError,
    retry: true,
  });
  checkFault(t, await waiting, {
    status: 503,
    code: "queue_timeout",
    type: InternalServerError,
    retry: true,
  });
  abort.abort();
  await running;
  t.equal(backend.requests.length, 1);
});

t.test("without a login the answer says what to do", async (t) => {
  const { client, backend } = await startServiceHarness(t, { login: "none" });
  const fault = await faultOf(client.responses.create(hello));
  checkFault(t, fault, { status: 503, code: "native_login_required", type: InternalServerError });
  t.match(fault, { message: /codex login/ });
  t.equal(backend.requests.length, 0);
});

t.test("without Codex the answer says so, and that it may come", async (t) => {
  const { client, service } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_CODEX_BIN: "/nowhere/codex" },
  });
  await pollUntil(() => service.health()?.readiness.ready === false);
  const fault = await faultOf(client.responses.create(hello));
  checkFault(t, fault, {
    status: 503,
    code: "native_runtime_unavailable",
    type: InternalServerError,
    retry: true,
    retryAfter: 5,
  });
});

/** By the words of the request that gets the reply. */
const upstreamFaults: Readonly<Record<string, Expected & { readonly reply: Reply }>> = {
  "too many requests": {
    reply: rateLimited(2),
    status: 429,
    code: "rate_limit_exceeded",
    type: RateLimitError,
    retry: true,
  },
  overloaded: {
    reply: overloaded(),
    status: 503,
    code: "server_overloaded",
    type: InternalServerError,
    retry: true,
  },
  "context too long": {
    reply: contextLengthExceeded(),
    status: 400,
    code: "context_length_exceeded",
    type: BadRequestError,
  },
  "bad request": {
    reply: httpError(400, { message: "Invalid schema.", param: "text.format.schema" }),
    status: 400,
    code: "upstream_bad_request",
    param: "text.format.schema",
    type: BadRequestError,
  },
  "against the policy": {
    reply: httpError(400, {
      code: "content_policy_violation",
      message: "It may violate our usage policies.",
    }),
    status: 400,
    code: "content_policy_violation",
    type: BadRequestError,
  },
  "server error": {
    reply: httpError(500),
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "cut off": {
    reply: cutConnection(),
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "failed midway": {
    reply: reply(text("half"), responseFailed({ code: "server_error", message: "It broke." })),
    status: 502,
    code: "upstream_connection_failed",
    type: InternalServerError,
    retry: true,
  },
  "login refused": {
    reply: httpError(401),
    status: 503,
    code: "native_login_required",
    type: InternalServerError,
  },
};

async function startFaultyBackend(t: Test): Promise<ServiceHarness> {
  const harness = await startServiceHarness(t, { login: "provider" });
  for (const [words, fault] of Object.entries(upstreamFaults)) {
    harness.backend.whenReply((request) => lastUserText(request) === words, fault.reply);
  }
  return harness;
}

t.test("each failure of the backend has its code", async (t) => {
  const { client } = await startFaultyBackend(t);
  for (const [input, expected] of Object.entries(upstreamFaults)) {
    t.comment(input);
    checkFault(t, await faultOf(client.responses.create({ input })), expected);
  }
});

async function readFailure(client: OpenAI, input: string): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create({ input, stream: true })) events.push(event);
  return events;
}

t.test("after the headers the same codes come as one response.failed, the last event", async (t) => {
  const { client } = await startFaultyBackend(t);
  for (const [input, { code }] of Object.entries(upstreamFaults)) {
    const events = await readFailure(client, input);
    t.equal(events[0]?.type, "response.created", input);
    t.match(
      events.filter((event) =>
        /^(error|response\.(completed|incomplete|failed|cancelled))$/.test(event.type),
      ),
      [{ type: "response.failed", response: { status: "failed", error: { code, message: /\S/ } } }],
      input,
    );
    t.equal(events.at(-1)?.type, "response.failed", input);
  }
});

t.test("the official client retries what helps, and only that", async (t) => {
  const { client, backend } = await startFaultyBackend(t);
  const retrying = client.withOptions({ maxRetries: 2 });
  const requestsFor = (words: string) =>
    backend.requests.filter((request) => lastUserText(request) === words).length;
  await Promise.all(
    Object.entries(upstreamFaults).map(async ([input, { retry, code }]) => {
      await faultOf(retrying.responses.create({ input }));
      t.equal(requestsFor(input), retry === true ? 3 : 1, `${input}: ${code}`);
    }),
  );
});

t.test("a plan that is used up says when its window opens again", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    provider: { requestMaxRetries: 0, streamMaxRetries: 0, supportsWebSockets: false },
  });
  backend.setDefaultReply(usageLimitReached({ resetsInSeconds: 3_600 }));
  const fault = await faultOf(client.responses.create(hello, { maxRetries: 2 }));
  t.equal(backend.requests.length, 1, "no retry by the client or by Codex");
  t.ok(fault instanceof RateLimitError);
  if (!(fault instanceof RateLimitError)) return;
  t.match(fault, { status: 429, code: "usage_limit_reached", type: "rate_limit_error" });
  t.equal(fault.headers.get("x-should-retry"), "false");
  const seconds = Number(fault.headers.get("retry-after"));
  t.ok(seconds > 3_500 && seconds <= 3_601, `Retry-After: ${seconds}`);
});

t.test("a turn of which nothing is heard is stalled, before and after its first words", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_TURN_IDLE_TIMEOUT_MS: "400" },
  });
  backend.setDefaultReply(reply(text({ deltas: ["half", " more"] }), stall({ afterDeltas: 1 })));
  checkFault(t, await faultOf(client.responses.create(hello)), {
    status: 504,
    code: "turn_stalled",
    type: InternalServerError,
    retry: true,
  });
  const events = await readFailure(client, "hello");
  t.match(events.at(-1), {
    type: "response.failed",
    response: { status: "failed", error: { code: "turn_stalled" } },
  });
  t.same(await Promise.all(backend.requests.map((request) => request.closed)), [
    "client-closed",
    "client-closed",
  ]);
});

t.test("a turn over its ceiling ends, however lively it is", async (t) => {
  const { client, backend } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_TURN_TIMEOUT_MS: "500" },
  });
  const endless = text({ deltas: Array.from({ length: 1_000 }, () => "on "), delayMs: 20 });
  backend.setDefaultReply(endless);
  checkFault(t, await faultOf(client.responses.create(hello)), {
    status: 504,
    code: "turn_timeout",
    type: InternalServerError,
  });
  const events = await readFailure(client, "hello");
  t.match(events.at(-1), { type: "response.failed", response: { error: { code: "turn_timeout" } } });
  t.same(await Promise.all(backend.requests.map((request) => request.closed)), [
    "client-closed",
    "client-closed",
  ]);
});
