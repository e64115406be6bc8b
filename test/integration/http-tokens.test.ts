/** Several callers, each with a token: who may do what, and what they see of each other. */
import t, { type Test } from "tap";
import { answerUntilAborted, fakeStarted, fakeUsage } from "../support/fake-runtime.js";
import { type Call, call, type HttpFixture, idOf, namedToken, serveFake } from "../support/http-fixture.js";

const adasToken = "adas-token-123456";
const bobsToken = "bobs-token-123456";

async function serveTwo(t: Test, adasLimits: Parameters<typeof namedToken>[2] = {}) {
  const tokens = [namedToken("ada", adasToken, adasLimits), namedToken("bob", bobsToken)];
  const fixture = await serveFake(t, { authToken: "s3cret", tokens });
  return { fixture, ada: callAs(fixture, adasToken), bob: callAs(fixture, bobsToken) };
}

function callAs(fixture: HttpFixture, token: string) {
  return (path: string, options: Call = {}) =>
    call(fixture, path, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });
}

/** A script whose turns end when the test says so. */
function createBarrier() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

t.test("the log names the token and never holds it", async (t) => {
  const { fixture, ada } = await serveTwo(t);
  t.equal((await ada("/v1/responses", { body: { input: "hi" } })).status, 200);
  t.match(await fixture.logged("http.request"), { caller: "ada", route: "/v1/responses" });
  t.equal(fixture.runtime.turns[0]?.request.caller, "token:ada");
  t.notMatch(JSON.stringify(fixture.lines), adasToken);
});

t.test("a token with models sees and uses those alone, in both dialects", async (t) => {
  const { fixture, ada, bob } = await serveTwo(t, { models: ["gpt-fake-mini"] });
  t.match((await ada("/v1/models")).json(), { data: [{ id: "gpt-fake-mini" }] });
  t.match((await bob("/v1/models")).json(), { data: [{ id: "gpt-fake" }, { id: "gpt-fake-mini" }] });
  const refusal = { error: { code: "model_not_allowed", type: "permission_error", param: "model" } };
  const asks: readonly [string, Call][] = [
    ["/v1/models/gpt-fake", {}],
    ["/v1/responses", { body: { model: "gpt-fake", input: "hi" } }],
    ["/v1/responses", { body: { model: "gpt-fake", input: "hi", background: true } }],
    ["/v1/chat/completions", { body: { model: "gpt-fake", messages: [{ role: "user", content: "hi" }] } }],
  ];
  for (const [path, options] of asks) {
    const answer = await ada(path, options);
    t.equal(answer.status, 403, path);
    t.match(answer.json(), refusal, path);
    t.equal(answer.headers["x-should-retry"], "false");
  }
  t.equal(fixture.runtime.turns.length, 0);
  t.equal((await ada("/v1/responses", { body: { input: "hi" } })).status, 200);
  t.equal(fixture.runtime.turns[0]?.request.model, "gpt-fake-mini", "the first of its models is its default");
});

for (const [what, path, body] of [
  ["a response", "/v1/responses", { input: "hi" }],
  ["a stream", "/v1/responses", { input: "hi", stream: true }],
  ["a background response", "/v1/responses", { input: "hi", background: true }],
  ["a completion", "/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] }],
] as const) {
  t.test(`${what} takes one of its token's places until its turn ends`, async (t) => {
    const { fixture, ada, bob } = await serveTwo(t, { maxConcurrentTurns: 1 });
    const barrier = createBarrier();
    const started = createBarrier();
    fixture.runtime.script = async (turn) => {
      turn.start();
      started.open();
      await barrier.opened;
      await turn.emitText("msg_1", ["done"]);
      return turn.result();
    };
    const first = ada(path, { body });
    await started.opened;
    for (const [again, body] of [
      ["/v1/responses", { input: "hi" }],
      ["/v1/responses", { input: "hi", background: true }],
      ["/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] }],
    ] as const) {
      const refused = await ada(again, { body });
      t.equal(refused.status, 429, again);
      t.match(refused.json(), { error: { code: "token_concurrency_exceeded", type: "rate_limit_error" } });
      t.equal(refused.headers["retry-after"], "1");
      t.notOk("x-should-retry" in refused.headers, "official clients may retry");
    }
    const other = bob("/v1/responses", { body: { input: "hi" } });
    barrier.open();
    t.equal((await other).status, 200, "another token has places of its own");
    t.equal((await first).status, 200);
    // A background response ends a moment after its answer.
    if ("background" in body) await ada(`/v1/responses/${idOf(await first)}/cancel`, { method: "POST" });
    t.equal((await ada("/v1/responses", { body: { input: "hi" } })).status, 200, "the place is free again");
  });
}

t.test("a resumed turn takes a place too, and a request that is refused gives it back", async (t) => {
  const { fixture, ada } = await serveTwo(t, { maxConcurrentTurns: 1 });
  fixture.runtime.script = async (turn) => {
    turn.start();
    fixture.runtime.parked.set("turn_1", ["call_1"]);
    const item = { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" };
    await turn.emit({ type: "item.started", itemId: "fc_1", itemType: "function_call" });
    await turn.emit({ type: "item.completed", item });
    return { ...fakeStarted, outcome: { status: "parked", callIds: ["call_1"] }, usage: fakeUsage };
  };
  const tools = [{ type: "function", name: "f", parameters: { type: "object", properties: {} } }];
  const parked = await ada("/v1/responses", { body: { input: "hi", tools } });
  t.equal(parked.status, 200);
  for (const _ of [1, 2]) {
    const refused = await ada("/v1/responses", { body: { input: "hi", previous_response_id: "resp_none" } });
    t.match(refused.json(), { error: { code: "continuation_not_found" } });
  }
  const barrier = createBarrier();
  const resumed = createBarrier();
  fixture.runtime.script = async (turn) => {
    turn.start();
    resumed.open();
    await barrier.opened;
    return turn.result();
  };
  const outputs = [{ type: "function_call_output", call_id: "call_1", output: "4" }];
  const body = { input: outputs, tools, previous_response_id: idOf(parked) };
  const going = ada("/v1/responses", { body });
  await resumed.opened;
  t.equal(fixture.runtime.outputs.length, 1, "the parked turn goes on");
  t.equal((await ada("/v1/responses", { body: { input: "hi" } })).status, 429);
  barrier.open();
  t.equal((await going).status, 200);
});

t.test("responses of one token are unknown to every other", async (t) => {
  const { ada, bob } = await serveTwo(t);
  const id = idOf(await ada("/v1/responses", { body: { input: "hi" } }));
  for (const [path, method] of [
    [`/v1/responses/${id}`, "GET"],
    [`/v1/responses/${id}/input_items`, "GET"],
    [`/v1/responses/${id}?stream=true`, "GET"],
    [`/v1/responses/${id}/cancel`, "POST"],
    [`/v1/responses/${id}`, "DELETE"],
  ] as const) {
    const answer = await bob(path, { method });
    t.equal(answer.status, 404, `${method} ${path}`);
    t.match(answer.json(), { error: { code: "response_not_found" } }, `${method} ${path}`);
  }
  const continued = await bob("/v1/responses", { body: { input: "and?", previous_response_id: id } });
  t.match(continued.json(), { error: { code: "continuation_not_found" } });
  const reference = await bob("/v1/responses", {
    body: { input: [{ type: "item_reference", id: "msg_1" }] },
  });
  t.match(reference.json(), { error: { code: "invalid_request", param: "input[0].id" } });
  t.equal((await ada(`/v1/responses/${id}`)).status, 200, "it is still there for its owner");
  t.equal((await ada("/v1/responses", { body: { input: "and?", previous_response_id: id } })).status, 200);
});

t.test("a background response that runs is unknown to every other token, its stream included", async (t) => {
  const { fixture, ada, bob } = await serveTwo(t);
  fixture.runtime.script = answerUntilAborted;
  const id = idOf(await ada("/v1/responses", { body: { input: "hi", background: true } }));
  t.equal((await bob(`/v1/responses/${id}`)).status, 404);
  t.equal((await bob(`/v1/responses/${id}?stream=true`)).status, 404);
  t.equal((await bob(`/v1/responses/${id}/cancel`, { method: "POST" })).status, 404);
  t.match((await ada(`/v1/responses/${id}/cancel`, { method: "POST" })).json(), { status: "cancelled" });
});

t.test("a turn parked by one token is neither resumed nor given up by another", async (t) => {
  const { fixture, bob } = await serveTwo(t);
  fixture.runtime.parked.set("turn_1", ["call_1"]);
  fixture.runtime.owners.set("turn_1", "ada");
  const call = { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" };
  const output = { type: "function_call_output", call_id: "call_1", output: "4" };
  t.equal((await bob("/v1/responses", { body: { input: [call, output] } })).status, 200);
  const messages = [
    { role: "user", content: "hi" },
    {
      role: "assistant",
      tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "4" },
  ];
  t.equal((await bob("/v1/chat/completions", { body: { messages } })).status, 200);
  t.strictSame(fixture.runtime.abandoned, []);
  t.ok(fixture.runtime.parked.has("turn_1"));
});

t.test("a token that is withdrawn ends its turns at once, and nobody else's", async (t) => {
  const { fixture, ada, bob } = await serveTwo(t);
  let startedCount = 0;
  const allStarted = createBarrier();
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    startedCount += 1;
    if (startedCount === 3) allStarted.open();
    await turn.aborted();
    return turn.result("cancelled");
  };
  const stream = ada("/v1/responses", { body: { input: "hi", stream: true } });
  const background = await ada("/v1/responses", { body: { input: "hi", background: true } });
  const others = bob("/v1/responses", { body: { input: "hi", background: true } });
  await allStarted.opened;
  const id = idOf(await others);
  const bobs = namedToken("bob", bobsToken);
  const withdrawn = namedToken("ada", adasToken, { disabled: true });
  const names = { allowedHosts: [], allowedOrigins: [], maxBodyBytes: 1024 };
  fixture.server.reconfigure({ ...names, authToken: "s3cret", tokens: [withdrawn, bobs] });
  t.match((await stream).text, /event: response\.failed\n.*"code":"invalid_auth_token"/);
  t.equal((await ada(`/v1/responses/${idOf(background)}`)).status, 401);
  t.match((await bob(`/v1/responses/${id}`)).json(), { status: /queued|in_progress/ });
  fixture.server.reconfigure({
    ...names,
    authToken: "s3cret",
    tokens: [namedToken("ada", adasToken), bobs],
  });
  t.match((await ada(`/v1/responses/${idOf(background)}`)).json(), { status: "cancelled" });
});
