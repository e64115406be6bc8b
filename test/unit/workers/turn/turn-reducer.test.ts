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

function newReducer(emit: (event: TurnEvent) => void, { hasTools = true } = {}): TurnReducer {
  return new TurnReducer({
    emit,
    toOriginal: (item) => item,
    declares: ({ name }) => name === "declared",
    onCall: (item) => item,
    onConnectionRefused: () => {},
    freshThread: true,
    hasTools,
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

const begun = (id: string, type: string): ThreadNotification => ({
  method: "item/started",
  params: { ...scope, item: { type, id } },
});
const thought = (itemId: string): ThreadNotification => ({
  method: "item/reasoning/summaryTextDelta",
  params: { ...scope, itemId, summaryIndex: 0, delta: "Hm" },
});
const askedAgain: ThreadNotification = {
  method: "error",
  params: {
    ...scope,
    willRetry: true,
    error: { message: "Reconnecting... 1/5", codexErrorInfo: null, additionalDetails: null },
  },
};
const described = (event: TurnEvent) => {
  if (event.type === "item.completed") return `completed ${event.item.id}`;
  return "itemId" in event ? `${event.type} ${event.itemId}` : event.type;
};

t.test(
  "what a broken call left is discarded when the next begins: the first retry is not announced",
  async (t) => {
    const next: Readonly<Record<string, readonly [ThreadNotification, string]>> = {
      "a message": [delta("new", "Hello."), "item.started new"],
      "a call": [raw({ type: "function_call", id: "new", call_id: "c", name: "declared" }), "completed new"],
      "a search": [begun("new", "webSearch"), "item.started new"],
      reasoning: [begun("new", "reasoning"), "item.started new"],
    };
    for (const [what, [notification, first]] of Object.entries(next)) {
      const { events } = reduce(delta("cut", "Hal"), notification);
      t.strictSame(events.slice(2, 4).map(described), ["item.discarded cut", first], what);
    }
    t.strictSame(reduce(thought("cut"), begun("new", "reasoning")).events.slice(2).map(described), [
      "item.discarded cut",
      "item.started new",
    ]);
  },
);

t.test(
  "reasoning that another kind of item follows may have lost its end, and is no broken call's",
  async (t) => {
    const { events } = reduce(thought("r"), delta("m", "Hi"), raw(message("m", "Hi")), completed());
    t.notOk(events.some(({ type }) => type === "item.discarded"));
  },
);

t.test(
  "a message that was taken for broken counts once its end is told, and its late words do not",
  async (t) => {
    const { events } = reduce(
      delta("a", "Hel"),
      delta("b", "Hi"),
      delta("a", "lo"),
      raw(message("b", "Hi")),
      raw(message("a", "Hello")),
      completed(),
    );
    t.strictSame(events.slice(2).map(described), [
      "item.discarded a",
      "item.started b",
      "text.delta b",
      "completed b",
      "completed a",
    ]);
  },
);

t.test("a message is announced with its first word, so that an empty one is taken back unseen", async (t) => {
  t.strictSame(reduce(begun("cut", "agentMessage"), askedAgain).events, []);
  t.strictSame(reduce(begun("m", "agentMessage"), delta("m", "x")).events.map(described), [
    "item.started m",
    "text.delta m",
  ]);
});

t.test("what was complete when the call broke stays: the model goes on from there", async (t) => {
  const { events, earlyOutcome } = reduce(
    raw({ type: "reasoning", id: "r", summary: [] }),
    { method: "item/completed", params: { ...scope, item: { type: "agentMessage", id: "m", text: "Hm" } } },
    delta("cut", "Hal"),
    askedAgain,
  );
  t.strictSame(events.map(described), [
    "completed r",
    "item.started cut",
    "text.delta cut",
    "completed m",
    "item.discarded cut",
  ]);
  t.equal(earlyOutcome, null);
});

t.test("a call that breaks after its final answer has ended the turn", async (t) => {
  const ended = { status: "completed", isThreadLost: true } as const;
  const final = raw({ ...message("m", "Hello."), phase: "final_answer" });
  t.same(reduce(final, askedAgain).earlyOutcome, ended);
  const withTools = raw(message("m", "Let me see."));
  t.equal(reduce(withTools, askedAgain).earlyOutcome, null, "a call may follow it");
  const modelCall: ThreadNotification = {
    method: "rawResponse/completed",
    params: { ...scope, responseId: "r", usage },
  };
  t.equal(reduce(final, modelCall, askedAgain).earlyOutcome, null, "another call broke");
  t.equal(reduce(final, begun("r", "reasoning"), askedAgain).earlyOutcome, null, "the model went on");
  const reducer = newReducer(() => {}, { hasTools: false });
  for (const notification of [withTools, askedAgain]) reducer.apply(notification);
  t.same(reducer.earlyOutcome, ended, "without tools a message is the answer");
});

t.test("an answer that a filter stopped is final, though Codex asks the model again", async (t) => {
  const reducer = new TurnReducer({
    emit: () => {},
    toOriginal: (item) => item,
    declares: () => false,
    onCall: (item) => item,
    onConnectionRefused: () => {},
    freshThread: true,
    hasTools: true,
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
  reducer.beginSegment();
  for (const call of swallowed) reducer.apply(raw(call));
  t.match(reducer.completedOutcome, { status: "failed", error: { code: "turn_stalled" } });
  reducer.beginSegment();
  t.same(reducer.completedOutcome, { status: "completed" });
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
