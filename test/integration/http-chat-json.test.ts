import OpenAI from "openai";
import t from "tap";
import { request } from "undici";
import { answerUntilAborted, failure } from "../support/fake-runtime.js";
import { call, serveFake } from "../support/http-fixture.js";

const path = "/v1/chat/completions";
const messages = [{ role: "user", content: "hi" }];

t.test("a completion is answered as OpenAI's object", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, path, { body: { messages, model: "gpt-fake" } });
  t.equal(answer.status, 200);
  t.match(answer.headers, { "content-type": /^application\/json/, "x-request-id": /^req_/ });
  t.match(answer.json(), {
    id: /^chatcmpl-[0-9a-f]{32}$/,
    object: "chat.completion",
    choices: [{ message: { role: "assistant", content: "Hello, wörld 🌍" }, finish_reason: "stop" }],
    usage: { total_tokens: 18 },
    native_api: { route_path: path, response_mapping: { native_thread_id: "thread_1" } },
  });
});

t.test("the turn is the caller's messages, its caller and its request id", async (t) => {
  const fixture = await serveFake(t);
  await call(fixture, path, {
    body: { messages: [{ role: "system", content: "s" }, ...messages] },
    headers: { authorization: "Bearer me", "x-request-id": "mine-1" },
  });
  t.match(fixture.runtime.turns[0]?.request, {
    items: [{ role: "system" }, { role: "user" }],
    caller: /^unchecked:/,
    requestId: "mine-1",
  });
});

t.test("a completion has one log line, with its ids and without a word of it", async (t) => {
  const fixture = await serveFake(t);
  await call(fixture, path, { body: { messages, metadata: { codexbridge: { taskClass: "intent" } } } });
  const line = await fixture.logged("http.request");
  t.match(line, {
    route: path,
    status: 200,
    response_id: /^chatcmpl-/,
    task_class: "intent",
    thread_id: "thread_1",
    outcome: "completed",
  });
  t.notMatch(JSON.stringify(line), /wörld/);
});

t.test("faults of the request and of the turn are HTTP errors", async (t) => {
  const fixture = await serveFake(t, { authToken: "secret" });
  const headers = { authorization: "Bearer secret" };
  t.equal((await call(fixture, path, { body: { messages } })).status, 401);
  t.equal((await call(fixture, path, { headers })).status, 405);
  const bad = await call(fixture, path, {
    body: { messages, audio: { voice: "alloy", format: "wav" } },
    headers,
  });
  t.equal(bad.status, 400);
  t.match(bad.headers, { "x-should-retry": "false" });
  t.match(bad.json(), { error: { code: "unsupported_chat_completions_feature", param: "audio" } });
  t.equal(fixture.runtime.turns.length, 0);
  fixture.runtime.script = async (turn) => {
    turn.start();
    throw failure("rate_limit_exceeded", 7000);
  };
  const limited = await call(fixture, path, { body: { messages }, headers });
  t.equal(limited.status, 429);
  t.match(limited.headers, { "retry-after": "7" });
  t.match(limited.json(), { error: { code: "rate_limit_exceeded" } });
});

t.test("an unforeseen fault shows nothing of itself", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw new Error("ENOENT /home/user/.codex");
  };
  const answer = await call(fixture, path, { body: { messages } });
  t.equal(answer.status, 500);
  t.notMatch(answer.text, /ENOENT|home/);
  t.match(await fixture.logged("http.fault"), { err: { message: /ENOENT/ } });
});

t.test("a client that leaves before the answer cancels its turn", async (t) => {
  const fixture = await serveFake(t);
  const controller = new AbortController();
  const running = new Promise<void>((resolve) => {
    fixture.runtime.script = (turn) => {
      resolve();
      return answerUntilAborted(turn);
    };
  });
  const answer = request(fixture.url + path, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages }),
    signal: controller.signal,
  });
  const refused = t.rejects(answer, { name: "AbortError" });
  await running;
  controller.abort();
  await fixture.runtime.turns[0]?.aborted();
  await refused;
  t.match(await fixture.logged("http.request"), { outcome: "client_left" });
});

t.test("a completion that outlasts the grace of a stop is an error that says to try again", async (t) => {
  const fixture = await serveFake(t);
  const running = new Promise<void>((resolve) => {
    fixture.runtime.script = async (turn) => {
      turn.start();
      resolve();
      return await new Promise(() => {});
    };
  });
  const answer = call(fixture, path, { body: { messages } });
  await running;
  await fixture.server.close({ graceMs: 1 });
  t.equal((await answer).status, 503);
  t.match((await answer).json(), { error: { code: "native_runtime_unavailable" } });
  t.equal(fixture.runtime.turns[0]?.handlers.signal?.aborted, true);
});

t.test("the official client reads the answer and its errors", async (t) => {
  const fixture = await serveFake(t);
  const client = new OpenAI({ apiKey: "k", baseURL: `${fixture.url}/v1`, maxRetries: 0 });
  const params = { model: "gpt-fake", messages: [{ role: "user" as const, content: "hi" }] };
  const completion = await client.chat.completions.create(params);
  t.equal(completion.choices[0]?.message.content, "Hello, wörld 🌍");
  await t.rejects(client.chat.completions.create({ ...params, n: 9 }), {
    name: "Error",
    status: 400,
    code: "invalid_request",
    param: "n",
  });
});
