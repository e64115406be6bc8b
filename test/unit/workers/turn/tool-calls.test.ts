import { mock } from "node:test";
import t from "tap";
import type { ThreadNotification } from "../../../../src/workers/app-server/protocol.js";
import { pacingOf, type ToolCallPacing, ToolCalls } from "../../../../src/workers/turn/tool-calls.js";

const call = (callId: string) => ({ type: "function_call", call_id: callId, name: "f", arguments: "{}" });
const askable = { canBeAskedFor: true };
const unaskable = { canBeAskedFor: false };

const output = (callId: string, text: string) => ({ callId, parts: [{ type: "text", text }] as const });
const answerOf = (text: string) => ({ success: true, contentItems: [{ type: "inputText", text }] });

const scope = { threadId: "thread", turnId: "turn" };
const answered = (callId: string): ThreadNotification => ({
  method: "rawResponseItem/completed",
  params: { ...scope, item: { type: "function_call_output", call_id: callId, output: "failed" } },
});
const working: ThreadNotification = {
  method: "item/agentMessage/delta",
  params: { ...scope, itemId: "msg", delta: "Well" },
};

function createToolCalls(pacing: ToolCallPacing = "together") {
  const parked: (readonly string[])[] = [];
  const handedOver: (readonly string[])[] = [];
  let ids = 0;
  const toolCalls = new ToolCalls({
    pacing: () => pacing,
    newCallId: () => `own_${++ids}`,
    silentMs: () => Number.POSITIVE_INFINITY,
    onParked: (callIds) => parked.push(callIds),
    onHandedOver: (callIds) => handedOver.push(callIds),
  });
  return { toolCalls, parked, handedOver };
}

t.test(
  "a turn is parked when the model call is over and every call was asked for, in the model's order",
  async (t) => {
    const { toolCalls, parked } = createToolCalls();
    toolCalls.expect(call("a"), askable);
    toolCalls.expect(call("b"), askable);
    void toolCalls.open("b");
    toolCalls.modelCallCompleted();
    t.same(parked, []);
    void toolCalls.open("a");
    t.same(parked, [["a", "b"]]);
  },
);

t.test("Codex may ask before the model call is over", async (t) => {
  const { toolCalls, parked } = createToolCalls();
  toolCalls.expect(call("a"), askable);
  void toolCalls.open("a");
  t.same(parked, []);
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"]]);
});

t.test("outputs go to their calls, and a call without one is answered as failed", async (t) => {
  const { toolCalls } = createToolCalls();
  toolCalls.expect(call("a"), askable);
  toolCalls.expect(call("b"), askable);
  const answers = [toolCalls.open("a"), toolCalls.open("b")];
  toolCalls.modelCallCompleted();
  toolCalls.answer([
    {
      callId: "a",
      parts: [
        { type: "text", text: "out" },
        { type: "image", imageUrl: "data:," },
      ],
    },
  ]);
  const [a, b] = await Promise.all(answers);
  t.same(a, {
    success: true,
    contentItems: [
      { type: "inputText", text: "out" },
      { type: "inputImage", imageUrl: "data:," },
    ],
  });
  t.equal(b?.success, false);
  t.equal(toolCalls.openCount, 0);
});

t.test("a turn that is given up leaves no call unanswered", async (t) => {
  const { toolCalls } = createToolCalls();
  const answer = toolCalls.open("a");
  toolCalls.abandon();
  t.equal((await answer).success, false);
});

t.test("versions ask in manners of their own", async (t) => {
  t.same(["0.140.0", "0.150.0", "0.160.2", "0.169.0", "1.0.0", null].map(pacingOf), [
    "unannounced",
    "one_by_one",
    "one_by_one",
    "together",
    "together",
    "together",
  ]);
});

t.test("Codex that asks one by one is answered for the rest as it comes to ask", async (t) => {
  const { toolCalls, parked } = createToolCalls("one_by_one");
  toolCalls.expect(call("a"), askable);
  toolCalls.expect(call("b"), askable);
  const b = toolCalls.open("b");
  toolCalls.modelCallCompleted();
  t.same(parked, [["a", "b"]], "it will not ask for a before b is answered");
  toolCalls.answer([output("a", "for a"), output("b", "for b")]);
  t.same(await b, answerOf("for b"));
  t.same(await toolCalls.open("a"), answerOf("for a"));
  t.equal(toolCalls.openCount, 0);
  t.equal(parked.length, 1);
  toolCalls.expect(call("c"), askable);
  void toolCalls.open("c");
  t.equal(parked.length, 1, "the next model call has an end of its own");
  toolCalls.modelCallCompleted();
  t.same(parked[1], ["c"]);
});

for (const pacing of ["together", "one_by_one"] as const) {
  t.test(
    `a call that Codex cannot ask for hands all of its answer over once that is over (${pacing})`,
    async (t) => {
      const { toolCalls, parked, handedOver } = createToolCalls(pacing);
      toolCalls.expect(call("a"), askable);
      toolCalls.expect(call("broken"), unaskable);
      void toolCalls.open("a");
      t.same(handedOver, [], "the model may be writing another call");
      toolCalls.expect(call("b"), askable);
      toolCalls.modelCallCompleted();
      t.same(handedOver, [["a", "broken", "b"]]);
      toolCalls.note(answered("broken"));
      void toolCalls.open("b");
      t.same([parked, handedOver.length], [[], 1], "and nothing else comes of it");
      toolCalls.abandon();
    },
  );
}

t.test("a call that Codex answers without having asked is handed over, too", async (t) => {
  const { toolCalls, handedOver } = createToolCalls();
  toolCalls.expect(call("a"), askable);
  toolCalls.modelCallCompleted();
  t.same(handedOver, []);
  toolCalls.note(answered("a"));
  t.same(handedOver, [["a"]]);
});

t.test("an output that the caller gave is not Codex's own", async (t) => {
  const { toolCalls, handedOver } = createToolCalls();
  toolCalls.expect(call("a"), askable);
  void toolCalls.open("a");
  toolCalls.modelCallCompleted();
  toolCalls.answer([output("a", "for a")]);
  toolCalls.note(answered("a"));
  toolCalls.note(working);
  t.same(handedOver, []);
});

t.test(
  "where the end of an answer is lost, the model's next work shows that Codex went on without the caller",
  async (t) => {
    const { toolCalls, handedOver } = createToolCalls();
    toolCalls.expect(call("broken"), unaskable);
    toolCalls.note(working);
    toolCalls.note(answered("broken"));
    t.same(handedOver, [], "an answer that is cut short ends by itself");
    toolCalls.note(working);
    t.same(handedOver, [["broken"]]);
  },
);

t.test("where Codex does not say that the model call is over, its own output does", async (t) => {
  const { toolCalls, handedOver } = createToolCalls("unannounced");
  toolCalls.expect(call("broken"), unaskable);
  toolCalls.expect(call("a"), askable);
  toolCalls.note(answered("broken"));
  t.same(handedOver, [["broken", "a"]]);
});

t.test("calls whose outputs could not be told apart get ids of our own and are handed over", async (t) => {
  const { toolCalls, handedOver } = createToolCalls();
  t.equal(toolCalls.expect(call("a"), askable).call_id, "a");
  t.equal(toolCalls.expect(call("a"), askable).call_id, "own_1");
  t.equal(toolCalls.expect(call(""), askable).call_id, "own_2");
  const asked = [toolCalls.open("a"), toolCalls.open("a")];
  toolCalls.modelCallCompleted();
  t.same(handedOver, [["a", "own_1", "own_2"]]);
  toolCalls.abandon();
  for (const answer of await Promise.all(asked)) t.equal(answer.success, false, "none is left unanswered");
});

t.test("an answer without calls of the caller's is not the end of the next one", async (t) => {
  const { toolCalls, parked } = createToolCalls();
  toolCalls.modelCallCompleted();
  toolCalls.expect(call("a"), askable);
  void toolCalls.open("a");
  t.same(parked, [], "the model may be writing another call");
  toolCalls.expect(call("b"), askable);
  void toolCalls.open("b");
  toolCalls.modelCallCompleted();
  t.same(parked, [["a", "b"]]);
});

t.test("where Codex does not say that the model call is over, silence does", async (t) => {
  const parked: (readonly string[])[] = [];
  let heardAtMs = 0;
  const first = await new Promise<ToolCalls>((resolve) => {
    const toolCalls = new ToolCalls({
      pacing: () => "unannounced",
      silentMs: () => performance.now() - heardAtMs,
      onParked: (callIds) => {
        parked.push(callIds);
        resolve(toolCalls);
      },
      newCallId: () => "own",
      onHandedOver: () => {},
    });
    toolCalls.expect(call("a"), askable);
    void toolCalls.open("a");
    t.equal(parked.length, 0);
    heardAtMs = performance.now();
    toolCalls.expect(call("b"), askable);
    toolCalls.modelCallCompleted();
    t.equal(parked.length, 0, "what it says comes after the outputs and means nothing here");
  });
  t.same(parked, [["a", "b"]]);
  first.answer([output("a", "for a"), output("b", "for b")]);
  t.same(await first.open("b"), answerOf("for b"));
});

t.test("what Codex asks for while the caller has the word is not answered with it", async (t) => {
  const { toolCalls, parked } = createToolCalls("one_by_one");
  toolCalls.expect(call("a"), askable);
  void toolCalls.open("a");
  toolCalls.modelCallCompleted();
  void toolCalls.open("late");
  toolCalls.answer([output("a", "for a")]);
  t.equal(toolCalls.openCount, 1);
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"], ["late"]]);
});

t.test(
  "an open call parks the turn though the end of the answer never comes, once nothing else does",
  async (t) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    t.teardown(() => mock.timers.reset());
    const { toolCalls, parked } = createToolCalls();
    toolCalls.expect(call("a"), askable);
    void toolCalls.open("a");
    mock.timers.tick(29_999);
    t.same(parked, [], "the model may be writing another call");
    mock.timers.tick(1);
    t.same(parked, [["a"]]);
    toolCalls.abandon();
  },
);

t.test("while the turn is heard of, an open call does not count as the last one", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.teardown(() => mock.timers.reset());
  let silentMs = 10_000;
  const parked: (readonly string[])[] = [];
  const toolCalls = new ToolCalls({
    pacing: () => "together",
    newCallId: () => "own",
    silentMs: () => silentMs,
    onParked: (callIds) => parked.push(callIds),
    onHandedOver: () => {},
  });
  toolCalls.expect(call("a"), askable);
  void toolCalls.open("a");
  mock.timers.tick(30_000);
  t.same(parked, [], "something came 10 seconds ago");
  silentMs = 30_000;
  mock.timers.tick(19_999);
  t.same(parked, []);
  mock.timers.tick(1);
  t.same(parked, [["a"]]);
  toolCalls.abandon();
});
