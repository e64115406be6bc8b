/** Which requests go on with a parked turn, and which replay their history. */
import { once } from "node:events";
import t from "tap";
import { request } from "undici";
import type { ChatCompletion } from "../../src/main/dialects/chat-completions/wire-types.js";
import { callItem } from "../support/chat-driver.js";
import {
  answerHello,
  type FakeRuntime,
  type FakeTurn,
  fakeStarted,
  fakeUsage,
  readyHealth,
} from "../support/fake-runtime.js";
import { call, type HttpFixture, serveFake } from "../support/http-fixture.js";

const path = "/v1/chat/completions";
const tools = [{ type: "function", function: { name: "weather" } }];
const question = { role: "user", content: "Weather?" };

/** The model calls the functions with these ids, and the turn waits. */
function park(runtime: FakeRuntime, callIds: readonly string[], turnId = "turn_1") {
  return async (turn: FakeTurn) => {
    turn.start({ ...fakeStarted, turnId });
    for (const callId of callIds) {
      await turn.emit({ type: "item.completed", item: callItem(callId, "weather", { city: callId }) });
    }
    runtime.parked.set(turnId, callIds);
    return { ...fakeStarted, turnId, outcome: { status: "parked", callIds } as const, usage: fakeUsage };
  };
}

async function ask(fixture: HttpFixture, body: object): Promise<ChatCompletion> {
  const answer = await call(fixture, path, { body });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json() as ChatCompletion;
}

const answerTo = (callId: string, content = `sunny in ${callId}`) => ({
  role: "tool",
  tool_call_id: callId,
  content,
});

interface Parked {
  readonly fixture: HttpFixture;
  /** The history up to the calls, as a caller sends it back. */
  readonly history: readonly object[];
}

async function parkFirst(t: Parameters<typeof serveFake>[0], body: object = {}): Promise<Parked> {
  const fixture = await serveFake(t);
  fixture.runtime.script = park(fixture.runtime, ["c1", "c2"]);
  const first = await ask(fixture, { messages: [question], tools, ...body });
  fixture.runtime.script = answerHello;
  return { fixture, history: [question, first.choices[0].message] };
}

t.test("calls end a completion, and their answers go on with its turn", async (t) => {
  const { fixture, history } = await parkFirst(t);
  t.match(history[1], { content: null, tool_calls: [{ id: "c1" }, { id: "c2" }] });
  const second = await ask(fixture, { messages: [...history, answerTo("c2"), answerTo("c1")], tools });
  t.equal(second.choices[0].message.content, "Hello, wörld 🌍");
  t.strictSame(fixture.runtime.outputs, [
    [
      { callId: "c2", parts: [{ type: "text", text: "sunny in c2" }] },
      { callId: "c1", parts: [{ type: "text", text: "sunny in c1" }] },
    ],
  ]);
  t.equal(fixture.runtime.turns.length, 1, "no second turn");
  t.strictSame(second.native_api.continuation, {
    resumed: true,
    mode: "native",
    previous_response_id: null,
    source_native_thread_id: "thread_1",
    source_native_turn_id: "turn_1",
    source_response_id: null,
    source_route_kind: "chat_completions",
  });
});

t.test("a turn is parked again and again", async (t) => {
  const { fixture, history } = await parkFirst(t);
  fixture.runtime.script = park(fixture.runtime, ["c3"]);
  const messages = [...history, answerTo("c1"), answerTo("c2")];
  const second = await ask(fixture, { messages, tools });
  t.equal(second.choices[0].finish_reason, "tool_calls");
  fixture.runtime.script = answerHello;
  messages.push(second.choices[0].message, answerTo("c3"));
  const third = await ask(fixture, { messages, tools });
  t.equal(third.native_api.continuation.mode, "native");
  t.equal(fixture.runtime.turns.length, 1);
});

t.test("a client that writes its messages in a way of its own is still understood", async (t) => {
  const { fixture, history } = await parkFirst(t);
  const respelled = JSON.parse(
    JSON.stringify(history)
      .replaceAll('{\\"city\\":', '{ \\"city\\" : ')
      .replace('"content":null', '"content":""')
      .replace('"annotations":[],', ""),
  );
  const messages = [...respelled, answerTo("c1"), answerTo("c2")];
  const second = await ask(fixture, { messages, tools });
  t.equal(second.native_api.continuation.mode, "native");
});

t.test("a stream can be parked, and one can go on", async (t) => {
  const { fixture, history } = await parkFirst(t, { stream: false });
  const messages = [...history, answerTo("c1"), answerTo("c2")];
  const answer = await call(fixture, path, { body: { messages, tools, stream: true } });
  t.match(answer.text, /"mode":"native"/);
  t.equal(fixture.runtime.outputs.length, 1);
});

const changes: readonly (readonly [string, (history: readonly object[]) => object])[] = [
  ["another question before it", ([, calls]) => ({ messages: [{ ...question, content: "Snow?" }, calls] })],
  [
    "a message more before it",
    ([first, calls]) => ({ messages: [{ role: "system", content: "s" }, first, calls] }),
  ],
  [
    "other tools",
    (messages) => ({ messages, tools: [...tools, { type: "function", function: { name: "x" } }] }),
  ],
  ["another model", (messages) => ({ messages, model: "gpt-fake-mini" })],
  ["another effort", (messages) => ({ messages, reasoning_effort: "low" })],
  ["a demand to call", (messages) => ({ messages, tool_choice: "required" })],
  ["another format", (messages) => ({ messages, response_format: { type: "json_object" } })],
];

for (const [what, change] of changes) {
  t.test(`with ${what} the parked turn is given up and the history replayed`, async (t) => {
    const { fixture, history } = await parkFirst(t);
    const { messages, ...body } = change(history) as { messages: readonly object[] };
    const outputs = [answerTo("c1"), answerTo("c2")];
    const second = await ask(fixture, { tools, ...body, messages: [...messages, ...outputs] });
    t.strictSame(fixture.runtime.abandoned, ["turn_1"]);
    t.strictSame(fixture.runtime.outputs, []);
    t.match(second.native_api.continuation, {
      resumed: true,
      mode: "replayed",
      source_native_turn_id: "turn_1",
    });
    const items = [...(fixture.runtime.turns[1]?.request.items ?? [])];
    t.strictSame(
      items.slice(-4).map(({ type }) => type),
      ["function_call", "function_call", "function_call_output", "function_call_output"],
    );
  });
}

t.test("a request that demands a call again is replayed, for only a new turn can be told", async (t) => {
  const demand = { tool_choice: "required" };
  const { fixture, history } = await parkFirst(t, demand);
  const messages = [...history, answerTo("c1"), answerTo("c2")];
  const second = await ask(fixture, { messages, tools, ...demand });
  t.equal(second.native_api.continuation.mode, "replayed");
  t.match(fixture.runtime.turns[1]?.request.directives, [{ role: "developer" }]);
});

t.test("something after the outputs replays the history", async (t) => {
  const { fixture, history } = await parkFirst(t);
  const messages = [...history, answerTo("c1"), answerTo("c2"), { role: "user", content: "And tomorrow?" }];
  const second = await ask(fixture, { messages, tools });
  t.strictSame(fixture.runtime.abandoned, ["turn_1"]);
  t.equal(second.native_api.continuation.mode, "replayed");
});

t.test("a turn that is parked no longer is replayed", async (t) => {
  const { fixture, history } = await parkFirst(t);
  fixture.runtime.continueIsolatedTurn = async () => null;
  const messages = [...history, answerTo("c1"), answerTo("c2")];
  const second = await ask(fixture, { messages, tools });
  t.equal(second.native_api.continuation.mode, "replayed");
  fixture.runtime.parked.clear();
  const third = await ask(fixture, { messages, tools });
  t.equal(third.native_api.continuation.mode, null, "of a turn that nobody knows of nothing is said");
});

t.test("a turn of another account is not gone on with", async (t) => {
  const { fixture, history } = await parkFirst(t);
  const account = { id: "acct_2", email: "b@example.com", plan: "plus", authMode: "chatgpt" };
  fixture.runtime.currentHealth = { ...readyHealth, account };
  await ask(fixture, { messages: [...history, answerTo("c1"), answerTo("c2")], tools });
  t.strictSame(fixture.runtime.abandoned, ["turn_1"]);
});

t.test("a client that leaves before it hears of the calls leaves no parked turn", async (t) => {
  const fixture = await serveFake(t);
  const controller = new AbortController();
  let ended: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  fixture.runtime.abandonTurn = (turnId) => {
    fixture.runtime.parked.delete(turnId);
    ended();
  };
  fixture.runtime.script = async (turn) => {
    turn.start();
    await turn.emit({ type: "text.delta", itemId: "msg_1", delta: "Let me see." });
    await turn.aborted();
    return await park(fixture.runtime, ["c1"])(turn);
  };
  const answer = await request(fixture.url + path, {
    dispatcher: fixture.agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [question], tools, stream: true }),
    signal: controller.signal,
  });
  await once(answer.body, "data");
  answer.body.on("error", () => {});
  controller.abort();
  await end;
  t.equal(fixture.runtime.parked.size, 0);
});
