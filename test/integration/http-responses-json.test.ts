import t from "tap";
import { failure, fakeUsage } from "../support/fake-runtime.js";
import { call, serveFake } from "../support/http-fixture.js";

t.test("a request is answered with a whole response", async (t) => {
  const fixture = await serveFake(t);
  const answer = await call(fixture, "/v1/responses", {
    body: {
      input: "hi",
      instructions: "Be brief.",
      model: "gpt-fake",
      temperature: 0.3,
      metadata: { a: "b", codexbridge: { taskClass: "intent" } },
    },
  });
  t.equal(answer.status, 200);
  t.match(answer.headers["content-type"], /^application\/json/);
  t.match(answer.json(), {
    id: /^resp_[0-9a-f]{32}$/,
    object: "response",
    status: "completed",
    error: null,
    instructions: "Be brief.",
    metadata: { a: "b" },
    model: "gpt-fake",
    output: [
      {
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text: "Hello, wörld 🌍", annotations: [] }],
      },
    ],
    usage: {
      input_tokens: fakeUsage.inputTokens,
      input_tokens_details: {
        cached_tokens: fakeUsage.cachedInputTokens,
        cache_write_tokens: fakeUsage.cacheWriteInputTokens,
      },
      output_tokens_details: { reasoning_tokens: fakeUsage.reasoningOutputTokens },
      total_tokens: fakeUsage.totalTokens,
    },
    native_api: {
      route_path: "/v1/responses",
      request_target: {
        worker_id: "worker-1",
        app_server_generation: 4,
        account_id: "acct_1",
        task_class: "intent",
      },
      response_mapping: { response_id: /^resp_/, native_thread_id: "thread_1", native_turn_id: "turn_1" },
      continuation: { resumed: false, mode: null },
      ignored_parameters: ["temperature"],
    },
  });
  t.match(fixture.runtime.turns[0]?.request, {
    instructions: "Be brief.",
    taskClass: "intent",
    model: "gpt-fake",
  });
});

t.test("the runtime learns who asks and under which request id", async (t) => {
  const fixture = await serveFake(t);
  const headers = { authorization: "Bearer sk-one", "x-request-id": "trace-1" };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" }, headers });
  t.equal(answer.headers["x-request-id"], "trace-1");
  await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.match(fixture.runtime.turns[0]?.request, { requestId: "trace-1", caller: /^unchecked:[0-9a-f]{16}$/ });
  t.match(fixture.runtime.turns[1]?.request, { requestId: /^req_/, caller: /^connection:127\.0\.0\.1:\d+$/ });
});

t.test("a turn's failure is an HTTP error with its code, also after some output", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    throw failure("upstream_connection_failed");
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 502);
  t.match(answer.json(), {
    error: { code: "upstream_connection_failed", type: "server_error", param: null },
  });
});

t.test("errors that waiting mends say how long", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw failure("queue_full", 2500);
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 429);
  t.match(answer.headers, { "retry-after": "3" });
  t.notOk("x-should-retry" in answer.headers);
});

t.test("errors that a retry cannot mend say so", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw failure("native_login_required");
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 503);
  t.equal(answer.headers["x-should-retry"], "false");
});

t.test("an unforeseen fault shows nothing of itself, and is logged", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw new Error("ENOENT /home/user/.codex");
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 500);
  t.match(answer.json(), { error: { code: "internal_error" } });
  t.notMatch(answer.text, /ENOENT|home|\.ts|\.js/);
  t.match(await fixture.logged("http.fault"), { level: 50, err: { message: /ENOENT/ } });
});

t.test("a response the model cut short is an answer", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emitText("msg_1", ["Hel"]);
    return { ...turn.result(), outcome: { status: "incomplete", reason: "max_output_tokens" } };
  };
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi" } });
  t.equal(answer.status, 200);
  t.match(answer.json(), { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
});

t.test("an unsupported parameter is refused where the server is set so", async (t) => {
  const fixture = await serveFake(t, { unsupportedParameters: "reject" });
  const answer = await call(fixture, "/v1/responses", { body: { input: "hi", top_p: 0.5 } });
  t.equal(answer.status, 400);
  t.match(answer.json(), { error: { code: "unsupported_responses_feature", param: "top_p" } });
  t.equal(fixture.runtime.turns.length, 0);
});

t.test("each request leaves one line in the log, without its text and token", async (t) => {
  const fixture = await serveFake(t);
  const headers = { authorization: "Bearer sk-private" };
  await call(fixture, "/v1/responses", {
    body: { input: "my secret prompt", instructions: "my rule" },
    headers,
  });
  t.match(await fixture.logged("http.request"), {
    request_id: /^req_/,
    method: "POST",
    route: "/v1/responses",
    status: 200,
    response_id: /^resp_/,
    thread_id: "thread_1",
    turn_id: "turn_1",
    worker_id: "worker-1",
    outcome: "completed",
    total_ms: Number,
    first_event_ms: Number,
  });
  t.notMatch(JSON.stringify(fixture.lines), /secret prompt|my rule|sk-private|wörld/);
  t.equal(fixture.lines.filter(({ event }) => event === "http.request").length, 1);
});
