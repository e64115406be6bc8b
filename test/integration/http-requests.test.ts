/** The request log over HTTP: what it has of each kind of request, and who sees it. */
import t from "tap";
import { answerHello, failure, fakeStarted, fakeUsage } from "../support/fake-runtime.js";
import { call, type HttpFixture, idOf, namedToken, openStream, serveFake } from "../support/http-fixture.js";
import { pollUntil } from "../support/service-harness.js";
import { SocketCaller } from "../support/web-socket-caller.js";

type Entry = Readonly<Record<string, unknown>>;

async function list(fixture: HttpFixture, query = "", token?: string): Promise<readonly Entry[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await call(fixture, `/v1/requests${query}`, { headers });
  t.equal(answer.status, 200, answer.text);
  return (answer.json() as { readonly data: readonly Entry[] }).data;
}

/** A request's entry, once it has ended. */
async function endedEntry(fixture: HttpFixture, id: string): Promise<Entry> {
  const read = async () => (await call(fixture, `/v1/requests/${id}`)).json() as Entry;
  await pollUntil(async () => (await read()).state === "ended");
  return read();
}

t.test(
  "a request for a response is kept with its times, its thread, its tokens and its outcome",
  async (t) => {
    const fixture = await serveFake(t);
    fixture.runtime.script = (turn) => {
      turn.admit();
      turn.start({ ...fakeStarted, thread: { kind: "spare", readyAtMs: performance.now() } });
      return answerHello(turn);
    };
    const headers = { "x-request-id": "mine", "x-request-timeout-ms": "60000" };
    const answer = await call(fixture, "/v1/responses", { headers, body: { input: "hi", temperature: 0.5 } });
    const entry = await endedEntry(fixture, "mine");
    t.match(entry, {
      object: "request",
      id: "mine",
      state: "ended",
      transport: "http",
      method: "POST",
      route: "/v1/responses",
      status: 200,
      caller: null,
      dialect: "responses",
      model: "gpt-fake",
      requested_model: null,
      stream: false,
      background: false,
      choices: 1,
      priority: "interactive",
      timeout_ms: 60_000,
      outcome: "completed",
      error: null,
      thread: { kind: "spare", thread_id: "thread_1", turn_id: "turn_1", worker_id: "worker-1" },
      attempts: 1,
      retries: [],
      ignored_parameters: ["temperature"],
      usage: { input_tokens: fakeUsage.inputTokens, output_tokens: fakeUsage.outputTokens, total_tokens: 18 },
      response_id: idOf(answer),
      previous_response_id: null,
      content: null,
    });
    const timings = Object.values(entry.timings as Readonly<Record<string, number | null>>);
    t.equal(timings.length, 7);
    t.strictSame(
      timings.toSorted((one, other) => (one ?? -1) - (other ?? -1)),
      timings,
      "each part ended after the one before",
    );
    t.notOk(timings.includes(null));
  },
);

t.test("a request is listed while it waits and while it runs", async (t) => {
  const fixture = await serveFake(t);
  let admit = (): void => {};
  let finish = (): void => {};
  fixture.runtime.script = async (turn) => {
    await new Promise<void>((resolve) => {
      admit = resolve;
    });
    turn.admit();
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return answerHello(turn);
  };
  const answer = call(fixture, "/v1/chat/completions", {
    body: { messages: [{ role: "user", content: "hi" }] },
  });
  await pollUntil(async () => (await list(fixture)).length === 1);
  t.match(await list(fixture), [
    { state: "waiting", outcome: null, status: null, dialect: "chat_completions" },
  ]);
  await pollUntil(() => fixture.runtime.turns.length === 1);
  admit();
  await pollUntil(async () => (await list(fixture))[0]?.state === "running");
  finish();
  await answer;
  await pollUntil(async () => (await list(fixture))[0]?.state === "ended");
});

t.test("a failed request says why, and one that was refused before its turn is kept too", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = async () => {
    throw failure("upstream_bad_request");
  };
  await call(fixture, "/v1/responses", { headers: { "x-request-id": "a" }, body: { input: "hi" } });
  await call(fixture, "/v1/responses", { headers: { "x-request-id": "b" }, body: { input: [{ type: 5 }] } });
  await call(fixture, "/v1/models/none", { headers: { "x-request-id": "c" } });
  await call(fixture, "/v1/models");
  await call(fixture, "/v1/health");
  const error = { param: null, retryable: false, message: null };
  t.match(await endedEntry(fixture, "a"), {
    outcome: "failed",
    status: 400,
    error: { ...error, code: "upstream_bad_request" },
  });
  t.match(await endedEntry(fixture, "b"), {
    dialect: "responses",
    outcome: "failed",
    error: { code: "invalid_request", param: "input[0].type" },
  });
  t.match(await endedEntry(fixture, "c"), {
    dialect: null,
    route: "/v1/models/:id",
    error: { code: "model_not_found", param: "model" },
  });
  t.equal(
    (await list(fixture)).length,
    3,
    "what did not fail and asked for no turn is not kept, nor is a poll",
  );
});

t.test(
  "a caller who leaves, a background response and a message on a WebSocket are kept as what they are",
  async (t) => {
    const fixture = await serveFake(t);
    const { script } = fixture.runtime;
    fixture.runtime.script = async (turn) => {
      turn.start();
      await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
      await turn.aborted();
      return turn.result("cancelled");
    };
    const stream = await openStream(fixture, "/v1/responses", {
      headers: { "x-request-id": "left" },
      body: { input: "hi", stream: true },
    });
    await stream.next("response.created");
    stream.leave();
    t.match(await endedEntry(fixture, "left"), {
      outcome: "client_left",
      status: null,
      error: null,
      stream: true,
    });
    fixture.runtime.script = script;
    const headers = { "x-request-id": "later" };
    await call(fixture, "/v1/responses", { headers, body: { input: "hi", background: true } });
    t.match(await endedEntry(fixture, "later"), {
      background: true,
      outcome: "completed",
      usage: { total_tokens: 18 },
    });
    t.match(await fixture.logged("http.background_response"), { request_id: "later", output_tokens: 7 });
    const socket = await SocketCaller.open(t, fixture.url);
    await socket.ask({ input: "hi" });
    await pollUntil(async () => (await list(fixture, "?outcome=completed")).length === 2);
    const [last] = await list(fixture);
    t.match(last, { transport: "websocket", method: "WS", outcome: "completed", status: 200 });
  },
);

t.test("a named token sees its own requests alone, whatever it asks for", async (t) => {
  const tokens = [namedToken("ada", "ada-ada-ada-ada-ada"), namedToken("bob", "bob-bob-bob-bob-bob")];
  const fixture = await serveFake(t, { authToken: "the-default-token", tokens });
  const ask = (token: string, id: string) =>
    call(fixture, "/v1/responses", {
      headers: { authorization: `Bearer ${token}`, "x-request-id": id },
      body: { input: "hi" },
    });
  await ask("ada-ada-ada-ada-ada", "of-ada");
  await ask("bob-bob-bob-bob-bob", "of-bob");
  await ask("nobody", "of-nobody");
  await pollUntil(async () => (await list(fixture, "?outcome=completed", "the-default-token")).length === 2);
  t.strictSame(
    (await list(fixture, "", "ada-ada-ada-ada-ada")).map(({ id }) => id),
    ["of-ada"],
  );
  t.strictSame(await list(fixture, "?caller=bob", "ada-ada-ada-ada-ada"), []);
  t.equal((await list(fixture, "", "the-default-token")).length, 3);
  const read = (token: string, path: string) =>
    call(fixture, path, { headers: { authorization: `Bearer ${token}` } });
  const foreign = await read("ada-ada-ada-ada-ada", "/v1/requests/of-bob");
  t.equal(foreign.status, 404);
  t.match(foreign.json(), { error: { code: "request_not_found" } });
  const after = await read("ada-ada-ada-ada-ada", "/v1/requests?after=of-bob");
  t.match(after.json(), { error: { code: "invalid_request", param: "after" } });
  t.match((await read("bob-bob-bob-bob-bob", "/v1/usage")).json(), {
    data: [{ caller: "bob", requests: 1 }],
  });
  t.equal((await call(fixture, "/v1/usage")).status, 401);
});
