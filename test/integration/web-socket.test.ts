import t from "tap";
import { InMemoryCodexNativeApiContinuationRegistry } from "../../src/main/continuation/in-memory-registry.js";
import { fakeStarted } from "../support/fake-runtime.js";
import { serveFake } from "../support/http-fixture.js";
import { SocketCaller } from "../support/web-socket-caller.js";

t.test("a message is answered with the events of a stream, each a text frame", async (t) => {
  const fixture = await serveFake(t);
  const caller = await SocketCaller.open(t, fixture.url);
  const response = await caller.ask({ model: "gpt-fake", input: "hi" });
  t.match(response, { object: "response", status: "completed", usage: { total_tokens: 18 } });
  t.equal(caller.events[0]?.type, "response.created");
  t.strictSame(
    caller.events.map((event) => event.sequence_number),
    caller.events.map((_event, at) => at),
  );
  t.match(await fixture.logged("http.request"), {
    method: "GET",
    route: "/v1/responses",
    status: 101,
  });
  const line = fixture.lines.find(({ method }) => method === "WS");
  t.match(line, { status: 200, route: "/v1/responses", response_id: response.id, outcome: "completed" });
});

t.test("requests of one lane run one after the other", async (t) => {
  const { runtime, url } = await serveFake(t);
  let running = 0;
  let most = 0;
  const { script } = runtime;
  runtime.script = async (turn) => {
    running += 1;
    most = Math.max(most, running);
    const result = await script(turn);
    running -= 1;
    return result;
  };
  const caller = await SocketCaller.open(t, url);
  for (const input of ["one", "two", "three"]) caller.create({ input });
  for (let at = 0; at < 3; at += 1) t.match(await caller.ended(), { status: "completed" });
  t.equal(most, 1);
  t.strictSame(
    runtime.turns.map(({ request }) => request.items[0]),
    ["one", "two", "three"].map((text) => ({
      type: "message",
      role: "user",
      content: [{ type: "input_text", text }],
    })),
  );
});

t.test("requests of other lanes run beside each other, and their events name the lane", async (t) => {
  const { runtime, url } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  runtime.script = async (turn) => {
    turn.start();
    // By what they ask: the requests of two lanes may come in any order.
    if (JSON.stringify([...turn.request.items]).includes("waits")) await turn.aborted();
    else await turn.emitText("msg_1", ["Hello"]);
    return turn.result();
  };
  caller.create({ input: "waits", stream_id: "planner" });
  caller.create({ input: "hi", stream_id: "critic" });
  const done = await caller.next("response.completed");
  t.equal(done.stream_id, "critic");
  t.strictSame(new Set(caller.events.map((event) => event.stream_id)), new Set(["critic"]));
});

t.test("a response that is not stored can be continued on its connection, and nowhere else", async (t) => {
  const { runtime, url } = await serveFake(t);
  runtime.loaded.add(fakeStarted.threadId);
  const caller = await SocketCaller.open(t, url);
  const first = await caller.ask({ input: "hi", store: false });
  const second = await caller.ask({ input: "and?", store: false, previous_response_id: first.id });
  t.match(second, {
    status: "completed",
    previous_response_id: first.id,
    native_api: { continuation: { mode: "native" } },
  });
  t.strictSame(runtime.continued, [fakeStarted.threadId]);
  t.equal(runtime.turns[0]?.request.keepThread, true);
  const other = await SocketCaller.open(t, url);
  other.create({ input: "and?", previous_response_id: first.id });
  t.match(await other.next("error"), {
    status: 400,
    error: {
      type: "invalid_request_error",
      code: "previous_response_not_found",
      message: `Previous response with id '${first.id}' not found.`,
      param: "previous_response_id",
    },
  });
  const read = await fetch(`${url}/v1/responses/${first.id}`);
  t.equal(read.status, 404, "it cannot be read either");
  caller.webSocket.close();
  await caller.closed;
});

t.test("a warm-up asks no model, and can be continued", async (t) => {
  const { runtime, url } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  caller.create({ generate: false, instructions: "Be brief.", input: [], store: false });
  const model = "gpt-fake";
  t.match(await caller.next("response.created"), { response: { status: "in_progress", output: [], model } });
  const { response: warm } = await caller.next("response.completed");
  t.match(warm, { status: "completed", output: [], usage: { total_tokens: 0 }, model });
  t.equal(runtime.turns.length, 0);
  const { id } = warm as { readonly id: string };
  const response = await caller.ask({ input: "hi", store: false, previous_response_id: id });
  t.match(response, { status: "completed", previous_response_id: id });
  t.equal(runtime.turns[0]?.request.items.length, 1);
});

t.test("a warm-up that is stored is read as it was told", async (t) => {
  const { url } = await serveFake(t);
  const caller = await SocketCaller.open(t, url);
  const told = await caller.ask({ generate: false, input: "hi" });
  t.equal(told.model, "gpt-fake", "the one that a turn would run on");
  const answer = await fetch(`${url}/v1/responses/${told.id}`);
  const { native_api: _, ...read } = (await answer.json()) as Record<string, unknown>;
  t.match(read, {
    status: "completed",
    completed_at: told.completed_at,
    output: [],
    usage: told.usage,
    model: told.model,
  });
});

t.test("a warm-up that cannot be kept is an error", async (t) => {
  const registry = new InMemoryCodexNativeApiContinuationRegistry();
  registry.put = async () => {
    throw new Error("The disk is full.");
  };
  const { url } = await serveFake(t, { registry });
  const caller = await SocketCaller.open(t, url);
  caller.create({ generate: false, input: "hi" });
  t.match(await caller.next("error", "response.completed"), {
    type: "error",
    status: 500,
    error: { code: "internal_error" },
  });
});
