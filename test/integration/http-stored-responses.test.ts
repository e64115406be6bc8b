/** What is answered for responses that are still being made, and for those that are not stored any more. */
import t, { type Test } from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { answerHello, answerUntilAborted, type FakeTurn } from "../support/fake-runtime.js";
import { call, type HttpFixture, idOf, namedToken, openStream, serveFake } from "../support/http-fixture.js";

/** A background response whose turn runs until it is given up, or ended by the test. */
async function startBackground(fixture: HttpFixture) {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const started = new Promise<FakeTurn>((resolve) => {
    fixture.runtime.script = async (turn) => {
      turn.start();
      resolve(turn);
      await Promise.race([ended, turn.aborted()]);
      return turn.result(turn.handlers.signal?.aborted === true ? "cancelled" : "completed");
    };
  });
  const input = [
    { role: "user", content: "one" },
    { role: "user", content: "two" },
  ];
  const id = idOf(await call(fixture, "/v1/responses", { body: { input, background: true } }));
  return { id, turn: await started, end };
}

t.test("the input items of a background response are listed while it runs", async (t) => {
  const fixture = await serveFake(t);
  const { id } = await startBackground(fixture);
  const page = await call(fixture, `/v1/responses/${id}/input_items?order=asc&limit=1`);
  t.equal(page.status, 200);
  t.match(page.json(), { data: [{ role: "user", content: [{ text: "one" }] }], has_more: true });
  const running = page.json();
  await call(fixture, `/v1/responses/${id}/cancel`, { method: "POST" });
  const ended = await call(fixture, `/v1/responses/${id}/input_items?order=asc&limit=1`);
  t.match(ended.json(), { data: (running as { data: object[] }).data }, "with the ids they keep");
});

t.test("an item whose id is null is listed under one that is made for it", async (t) => {
  const fixture = await serveFake(t);
  const input = [{ type: "message", role: "user", content: "one", id: null }];
  const id = idOf(await call(fixture, "/v1/responses", { body: { input } }));
  const page = await call(fixture, `/v1/responses/${id}/input_items`);
  t.match(page.json(), { data: [{ id: /^msg_/ }], first_id: /^msg_/ });
});

t.test("going on from a background response that runs is refused until it has ended", async (t) => {
  const fixture = await serveFake(t);
  const { id, end } = await startBackground(fixture);
  const body = { input: "and?", previous_response_id: id };
  const early = await call(fixture, "/v1/responses", { body });
  t.equal(early.status, 409);
  t.match(early.json(), {
    error: { code: "response_in_progress", type: "conflict_error", param: "previous_response_id" },
  });
  t.ok(Number(early.headers["retry-after"]) > 0);
  t.notOk("x-should-retry" in early.headers, "official clients may retry");
  end();
  await call(fixture, `/v1/responses/${id}?stream=true`);
  t.equal((await call(fixture, "/v1/responses", { body })).status, 200);
});

t.test("a response that is streamed can be read, and not gone on from, before it has ended", async (t) => {
  const fixture = await serveFake(t);
  let end: () => void = () => {};
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Hel" });
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return turn.result();
  };
  const stream = await openStream(fixture, "/v1/responses", { body: { input: "hi", stream: true } });
  const { id } = (await stream.next("response.created")).data.response as { id: string };
  t.match((await call(fixture, `/v1/responses/${id}`)).json(), { id, status: "in_progress" });
  t.match((await call(fixture, `/v1/responses/${id}/input_items`)).json(), { data: [{ role: "user" }] });
  const body = { input: "and?", previous_response_id: id };
  t.match((await call(fixture, "/v1/responses", { body })).json(), {
    error: { code: "response_in_progress" },
  });
  const cancelled = await call(fixture, `/v1/responses/${id}/cancel`, { method: "POST" });
  t.match(cancelled.json(), { error: { code: "invalid_request" } }, "it is no background response");
  end();
  await stream.next("response.completed");
  fixture.runtime.script = answerHello;
  t.equal((await call(fixture, "/v1/responses", { body })).status, 200, "at once after its last event");
});

t.test("deleting a response that is streamed ends its stream", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = answerUntilAborted;
  const stream = await openStream(fixture, "/v1/responses", { body: { input: "hi", stream: true } });
  const { id } = (await stream.next("response.created")).data.response as { id: string };
  t.equal((await call(fixture, `/v1/responses/${id}`, { method: "DELETE" })).status, 200);
  t.match((await stream.next("response.failed")).data, { response: { error: { code: "turn_cancelled" } } });
  t.equal((await call(fixture, `/v1/responses/${id}`)).status, 404);
});

t.test("a response that is not to be stored is unknown while it is streamed, too", async (t) => {
  const fixture = await serveFake(t);
  fixture.runtime.script = answerUntilAborted;
  const body = { input: "hi", stream: true, store: false };
  const stream = await openStream(fixture, "/v1/responses", { body });
  const { id } = (await stream.next("response.created")).data.response as { id: string };
  t.equal((await call(fixture, `/v1/responses/${id}`)).status, 404);
  const next = await call(fixture, "/v1/responses", { body: { input: "x", previous_response_id: id } });
  t.match(next.json(), { error: { code: "continuation_not_found" } });
});

t.test("cancelling twice at once gives both the same end", async (t) => {
  const fixture = await serveFake(t);
  const { id } = await startBackground(fixture);
  const cancel = () => call(fixture, `/v1/responses/${id}/cancel`, { method: "POST" });
  for (const answer of await Promise.all([cancel(), cancel()])) {
    t.equal(answer.status, 200);
    t.match(answer.json(), { id, status: "cancelled" });
  }
});

t.test("two deletions at once leave nothing", async (t) => {
  const fixture = await serveFake(t);
  const { id } = await startBackground(fixture);
  const remove = () => call(fixture, `/v1/responses/${id}`, { method: "DELETE" });
  const statuses = (await Promise.all([remove(), remove()])).map(({ status }) => status);
  t.ok(statuses.includes(200), statuses.join());
  t.equal((await remove()).status, 404);
});

const lost: readonly [
  how: string,
  bounds: ConstructorParameters<typeof InMemoryCodexNativeApiContinuationRegistry>[0],
][] = [
  ["was dropped for a newer one", { maxEntries: 1 }],
  ["was too large", { maxBytes: 3_000 }],
  ["expired", { ttlMs: 1 }],
];

for (const [how, bounds] of lost) {
  t.test(`a response that ${how} is gone for its owner and was never there for others`, async (t) => {
    const { fixture, ada, bob } = await serveTwoTokens(t, bounds);
    const input = "x".repeat(2_000);
    const id = idOf(await ada("/v1/responses", { body: { input } }));
    await ada("/v1/responses", { body: { input: "another" } });
    t.equal(fixture.runtime.turns.length, 2);
    const body = { input: "and?", previous_response_id: id };
    const own = await ada("/v1/responses", { body });
    t.equal(own.status, 410);
    t.match(own.json(), { error: { code: "continuation_expired" } });
    const others = await bob("/v1/responses", { body });
    t.equal(others.status, 404);
    t.match(others.json(), { error: { code: "continuation_not_found" } });
    const unknown = await bob("/v1/responses", { body: { ...body, previous_response_id: "resp_none" } });
    t.strictSame(
      textOf(others).replaceAll(id, "ID"),
      textOf(unknown).replaceAll("resp_none", "ID"),
      "word for word as for an id that never was",
    );
    for (const [path, method] of [
      ["", "GET"],
      ["?stream=true", "GET"],
      ["/input_items", "GET"],
      ["/cancel", "POST"],
      ["", "DELETE"],
    ] as const) {
      const answer = await bob(`/v1/responses/${id}${path}`, { method });
      t.equal(answer.status, 404, `${method} ${path}`);
    }
    t.equal((await ada("/v1/responses", { body })).status, 410, "and still is for its owner");
  });
}

function textOf(answer: { readonly text: string }): string {
  return answer.text;
}

async function serveTwoTokens(
  t: Test,
  bounds: ConstructorParameters<typeof InMemoryCodexNativeApiContinuationRegistry>[0],
) {
  const [adas, bobs] = ["adas-token-123456", "bobs-token-123456"];
  const fixture = await serveFake(t, {
    authToken: "s3cret",
    tokens: [namedToken("ada", adas), namedToken("bob", bobs)],
    registry: new InMemoryCodexNativeApiContinuationRegistry(bounds),
  });
  const callAs =
    (token: string) =>
    (path: string, options: Parameters<typeof call>[2] = {}) =>
      call(fixture, path, { ...options, headers: { authorization: `Bearer ${token}` } });
  return { fixture, ada: callAs(adas), bob: callAs(bobs) };
}

for (const stream of [false, true]) {
  t.test(
    `an answer that the registry fails to keep reaches its caller ${stream ? "as a stream" : "whole"}, and the log`,
    async (t) => {
      const registry = new InMemoryCodexNativeApiContinuationRegistry();
      registry.put = async () => {
        throw new Error("The disk is full.");
      };
      const fixture = await serveFake(t, { registry });
      fixture.runtime.script = answerHello;
      const answer = await call(fixture, "/v1/responses", { body: { input: "hi", stream } });
      t.equal(answer.status, 200);
      t.match(answer.text, stream ? /event: response\.completed\n/ : /"status":"completed"/);
      t.match(await fixture.logged("http.fault"), { err: { message: "The disk is full." } });
      t.match(await fixture.logged("http.request"), { status: 200, outcome: "completed" });
    },
  );
}
