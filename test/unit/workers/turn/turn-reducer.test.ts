import t from "tap";
import type { ThreadNotification } from "../../../../src/workers/app-server/protocol.js";
import type { TurnEvent } from "../../../../src/workers/contract/turn-messages.js";
import { TurnReducer } from "../../../../src/workers/turn/turn-reducer.js";

const scope = { threadId: "thread", turnId: "turn" };
const usage = {
  totalTokens: 3,
  inputTokens: 2,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 1,
  reasoningOutputTokens: 0,
};
const message = (id: string, text: string) => ({
  type: "message",
  id,
  role: "assistant",
  content: [{ type: "output_text", text }],
});

function newReducer(emit: (event: TurnEvent) => void): TurnReducer {
  return new TurnReducer({
    emit,
    toOriginal: (item) => item,
    declaredTools: new Set(["declared"]),
    onCall: (item) => item,
    onConnectionRefused: () => {},
    freshThread: true,
  });
}

function reduce(...notifications: ThreadNotification[]) {
  const events: TurnEvent[] = [];
  const reducer = newReducer((event) => events.push(event));
  for (const notification of notifications) reducer.apply(notification);
  return { events, outcome: reducer.outcome, earlyOutcome: reducer.earlyOutcome };
}

const delta = (itemId: string, text: string): ThreadNotification => ({
  method: "item/agentMessage/delta",
  params: { ...scope, itemId, delta: text },
});
const raw = (item: { type: string; [key: string]: unknown }): ThreadNotification => ({
  method: "rawResponseItem/completed",
  params: { ...scope, item },
});
const completed = (
  status: "completed" | "interrupted" | "failed" = "completed",
  items: { type: string; id: string; [key: string]: unknown }[] = [],
): ThreadNotification => ({
  method: "turn/completed",
  params: { threadId: "thread", turn: { id: "turn", status, error: null, items } },
});

t.test("a delta without its announcement announces the item", async (t) => {
  const { events } = reduce(delta("m", "Hel"), delta("m", "lo"));
  t.same(
    events.map((event) => event.type),
    ["item.started", "text.delta", "text.delta"],
  );
});

t.test("only the model's own items are output", async (t) => {
  const { events } = reduce(
    raw({ type: "message", id: "u", role: "user", content: [] }),
    raw({ type: "message", id: "d", role: "developer", content: [] }),
    raw({ type: "function_call_output", call_id: "c", output: "" }),
    raw(message("m", "hi")),
  );
  t.same(events, [{ type: "item.completed", item: message("m", "hi") }]);
});

t.test("calls of tools that the caller did not declare are not output", async (t) => {
  const declared = { type: "function_call", id: "f1", call_id: "c1", name: "declared", arguments: "{}" };
  const { events } = reduce(
    raw({ ...declared, id: "f2", name: "exec_command" }),
    raw({ type: "local_shell_call", id: "l", call_id: "c2", action: { type: "exec", command: ["id"] } }),
    raw({ type: "custom_tool_call", id: "p", call_id: "c3", name: "apply_patch", input: "" }),
    raw(declared),
  );
  t.same(events, [{ type: "item.completed", item: declared }]);
});

t.test("a raw item that was lost is made up for by the item's own completion", async (t) => {
  const { events } = reduce(
    { method: "item/completed", params: { ...scope, item: { type: "agentMessage", id: "m", text: "hi" } } },
    { method: "rawResponse/completed", params: { ...scope, responseId: "r", usage } },
  );
  t.match(events, [
    { type: "item.completed", item: { id: "m", content: [{ type: "output_text", text: "hi" }] } },
    { type: "model_call.completed", usage },
  ]);
});

t.test("a message of which only the turn's end tells is not lost", async (t) => {
  const { events } = reduce(completed("completed", [{ type: "agentMessage", id: "m", text: "hi" }]));
  t.match(events, [{ type: "item.completed", item: { id: "m" } }]);
});

t.test("an item is completed once, however often Codex tells of it", async (t) => {
  const { events } = reduce(
    raw(message("m", "hi")),
    raw(message("m", "hi")),
    completed("completed", [{ type: "agentMessage", id: "m", text: "hi" }]),
  );
  t.equal(events.length, 1);
});

t.test("usage is taken from the exact report where there is one, else from the thread's count", async (t) => {
  const tokenUsage: ThreadNotification = {
    method: "thread/tokenUsage/updated",
    params: { ...scope, tokenUsage: { total: usage, last: usage } },
  };
  const exact: ThreadNotification = {
    method: "rawResponse/completed",
    params: { ...scope, responseId: "r", usage },
  };
  t.equal(reduce(exact, tokenUsage).events.length, 1);
  t.same(reduce(tokenUsage).events, [{ type: "model_call.completed", usage }]);
});

t.test("when Codex calls the model again, what was begun is discarded", async (t) => {
  const { events } = reduce(delta("m", "Hel"), {
    method: "error",
    params: {
      ...scope,
      willRetry: true,
      error: { message: "Reconnecting... 1/5", codexErrorInfo: null, additionalDetails: null },
    },
  });
  t.same(events.at(-1), { type: "item.discarded", itemId: "m" });
});

t.test("a message that was begun and never had a word is a refusal", async (t) => {
  const started: ThreadNotification = {
    method: "item/started",
    params: { ...scope, item: { type: "agentMessage", id: "m" } },
  };
  t.match(reduce(started, completed()).events.at(-1), {
    type: "item.completed",
    item: { id: "m", content: [{ type: "refusal" }] },
  });
  t.match(reduce(started, delta("m", "hi"), completed()).events.at(-1), {
    type: "item.completed",
    item: { id: "m", content: [{ type: "output_text", text: "hi" }] },
  });
});

t.test(
  "what a broken call left is discarded at the end, since Codex does not tell of its first retry",
  async (t) => {
    const { events } = reduce(
      delta("cut", "Hal"),
      delta("whole", "Hello."),
      raw(message("whole", "Hello.")),
      completed("completed", [{ type: "agentMessage", id: "whole", text: "Hello." }]),
    );
    t.same(events.at(-1), { type: "item.discarded", itemId: "cut" });
  },
);

t.test("an answer that a filter stopped is final, though Codex asks the model again", async (t) => {
  const reducer = new TurnReducer({
    emit: () => {},
    toOriginal: (item) => item,
    declaredTools: new Set(),
    onCall: (item) => item,
    onConnectionRefused: () => {},
    freshThread: true,
  });
  reducer.apply(
    raw({
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "<content_filter_guidance>Try again</content_filter_guidance>" }],
    }),
  );
  t.same(reducer.earlyOutcome, { status: "incomplete", reason: "content_filter" });
});

t.test("an answer cut short is counted by what the thread's sum grew by", async (t) => {
  const none = {
    totalTokens: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 0,
    reasoningOutputTokens: 0,
  };
  const { events } = reduce({
    method: "thread/tokenUsage/updated",
    params: { ...scope, tokenUsage: { total: usage, last: none } },
  });
  t.same(events, [{ type: "model_call.completed", usage }]);
});

t.test("the outcome is what turn/completed says", async (t) => {
  t.same(reduce(completed()).outcome, { status: "completed" });
  t.same(reduce(completed("interrupted")).outcome, { status: "cancelled" });
  t.match(reduce(completed("failed")).outcome, { status: "failed", error: { code: "internal_error" } });
  t.equal(reduce(delta("m", "x")).outcome, null);
});

const refusedCall = (index: number, type = "function_call") =>
  raw({ type, name: "shell", arguments: "{}", call_id: `call_${index}` });

t.test("a model that calls tools it was not offered is stopped, whatever it makes between", async (t) => {
  const between: Readonly<Record<string, (index: number) => ThreadNotification[]>> = {
    nothing: () => [],
    reasoning: (index) => [raw({ type: "reasoning", id: `rs_${index}` })],
    messages: (index) => [raw(message(`m_${index}`, "Let me see."))],
    searches: (index) => [raw({ type: "web_search_call", id: `ws_${index}` })],
    "declared calls": (index) => [
      raw({ type: "function_call", id: `fc_${index}`, call_id: `c_${index}`, name: "declared" }),
    ],
  };
  for (const [what, make] of Object.entries(between)) {
    const calls = (count: number) =>
      Array.from({ length: count }, (_, index) => [...make(index), refusedCall(index)]).flat();
    t.equal(reduce(...calls(16)).earlyOutcome, null, `${what}: 16 are borne`);
    t.match(reduce(...calls(17)).earlyOutcome, { status: "failed", error: { code: "turn_stalled" } }, what);
  }
});

t.test("every kind of call that Codex answers counts, a search of the backend's own does not", async (t) => {
  const calls = (make: (index: number) => ThreadNotification) =>
    reduce(...Array.from({ length: 17 }, (_, index) => make(index))).earlyOutcome;
  for (const type of ["custom_tool_call", "local_shell_call", "tool_search_call"]) {
    t.match(
      calls((index) => refusedCall(index, type)),
      { status: "failed" },
      type,
    );
  }
  const search = raw({ type: "tool_search_call", call_id: "c", execution: "server", arguments: {} });
  t.equal(
    calls(() => search),
    null,
  );
});

const swallowed: readonly { type: string; [key: string]: unknown }[] = [
  { type: "local_shell_call", id: "l", call_id: null, action: { type: "exec", command: ["id"] } },
  { type: "tool_search_call", id: "s", call_id: "c", execution: "server" },
  { type: "function_call", id: "f", call_id: "c", name: "exec_command", arguments: "{}" },
  { type: "custom_tool_call", id: "p", call_id: "c", name: "apply_patch", input: "" },
  { type: "other" },
];

t.test("a turn of calls that nobody offered and nothing else is no completed turn", async (t) => {
  const nothing = { status: "failed", error: { code: "turn_stalled", message: /was not offered/ } };
  const reasoning = { type: "reasoning", id: "r", summary: [] };
  for (const call of swallowed) {
    t.match(reduce(raw(call), completed()).outcome, nothing, call.type);
    t.match(reduce(raw(reasoning), raw(call), completed()).outcome, nothing, `${call.type} after reasoning`);
    const answered = reduce(raw(call), raw(message("m", "hi")), completed()).outcome;
    t.same(answered, { status: "completed" }, `${call.type} and an answer`);
  }
  t.same(reduce(raw(reasoning), completed()).outcome, { status: "completed" }, "an empty answer is one");
});

t.test("calls of an earlier leg say nothing of the last", async (t) => {
  const reducer = newReducer(() => {});
  reducer.apply(raw(message("m", "hi")));
  reducer.beginLeg();
  for (const call of swallowed) reducer.apply(raw(call));
  t.match(reducer.lostOutcome, { status: "failed", error: { code: "turn_stalled" } });
  reducer.beginLeg();
  t.same(reducer.lostOutcome, { status: "completed" });
});

t.test("a model that goes on and on without the caller is stopped", async (t) => {
  const answers = (count: number) =>
    Array.from(
      { length: count },
      (): ThreadNotification => ({
        method: "rawResponse/completed",
        params: { ...scope, responseId: "resp", usage },
      }),
    );
  t.equal(reduce(...answers(128)).earlyOutcome, null);
  t.match(reduce(...answers(129)).earlyOutcome, { status: "failed", error: { code: "turn_stalled" } });
});
