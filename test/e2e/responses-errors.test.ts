/**
 * The error table as far as it is this service's own doing, each code provoked through the whole service and read by the
 * official client; `upstream-errors.test.ts` has the rest. Two codes cannot be: a chain belongs to the one provider profile of
 * its service (`continuation_provider_mismatch`), and nothing known ends in `internal_error`.
 */
import OpenAI from "openai";
import t from "tap";
import { request } from "undici";
import { checkFault, type ExpectedFault, faultOf } from "../support/api-faults.js";
import { stall, switchAccount, text } from "../support/offline-backend/index.js";
import { pollUntil, startServiceHarness } from "../support/service-harness.js";

/** Counts requests, those that the client repeats by itself included. */
let sent = 0;
const send: typeof fetch = (url, init) => {
  sent += 1;
  return fetch(url, init);
};

/** The client with its requests changed on their way out. */
function changed(client: OpenAI, change: (init: RequestInit) => RequestInit): OpenAI {
  return client.withOptions({ fetch: (url, init) => send(url, change(init ?? {})) });
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

const refusals: readonly (ExpectedFault & { readonly provoke: (client: OpenAI) => Promise<unknown> })[] = [
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
  { status: 405, code: "method_not_allowed", type: APIError, provoke: (client) => client.put("/responses") },
  { status: 426, code: "upgrade_required", type: APIError, provoke: (client) => client.get("/responses") },
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

t.test("what cannot be served is refused by name, once, before any model is asked", async (t) => {
  const { backend, client } = await startServiceHarness(t, {
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token, CODEX_NATIVE_API_MAX_BODY_BYTES: "4096" },
  });
  const retrying = client.withOptions({ fetch: send, maxRetries: 2 });
  for (const { provoke, ...expected } of refusals) {
    sent = 0;
    checkFault(t, await faultOf(provoke(retrying)), expected);
    t.equal(sent, 1, `${expected.code}: not repeated`);
  }
  t.equal(backend.requests.length, 0);
});

t.test("a wrong method is told the right ones, and a missing token what to present", async (t) => {
  const { url } = await startServiceHarness(t, {
    login: "none",
    env: { CODEX_NATIVE_API_AUTH_TOKEN: token },
  });
  const headers = { authorization: `Bearer ${token}` };
  const methods = { "/responses": "GET, HEAD, POST", "/responses/resp_x": "GET, HEAD, DELETE" };
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
  const { backend, client, service, untilReady } = await startServiceHarness(t, {
    login: "provider",
    env: {
      CODEX_NATIVE_API_MAX_CONCURRENT_TURNS: "1",
      CODEX_NATIVE_API_MAX_QUEUE: "1",
      CODEX_NATIVE_API_QUEUE_TIMEOUT_MS: "500",
    },
  });
  // Waiting for Codex to come up is waiting in the queue too.
  await untilReady();
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

t.test("a caller that met a full queue gets its answer by its client's own retry", async (t) => {
  const { backend, client, service } = await startServiceHarness(t, {
    login: "provider",
    env: { CODEX_NATIVE_API_MAX_CONCURRENT_TURNS: "1", CODEX_NATIVE_API_MAX_QUEUE: "1" },
  });
  backend.queueReply(stall());
  backend.setDefaultReply(text("Now."));
  const abort = new AbortController();
  const running = faultOf(client.responses.create(hello, { signal: abort.signal }));
  await backend.waitForRequest();
  const waiting = client.responses.create(hello);
  await pollUntil(() => service.health()?.queue.depth === 1);
  const statuses: number[] = [];
  const watched: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    statuses.push(answer.status);
    abort.abort();
    return answer;
  };
  const late = await client.withOptions({ fetch: watched, maxRetries: 2 }).responses.create(hello);
  t.equal(late.output_text, "Now.");
  t.same(statuses, [429, 200]);
  t.equal((await waiting).output_text, "Now.");
  await running;
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
