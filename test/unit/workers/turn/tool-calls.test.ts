import t from "tap";
import type { ToolCallPacing } from "../../../../src/workers/turn/tool-call-pacing.js";
import { pacingOf } from "../../../../src/workers/turn/tool-call-pacing.js";
import { ToolCalls } from "../../../../src/workers/turn/tool-calls.js";

const tool = (name: string) => ({ name, description: "", parameters: {} });
const call = (callId: string, name = "f") => ({
  type: "function_call",
  call_id: callId,
  name,
  arguments: "{}",
});

function createToolCalls(pacing: ToolCallPacing = "together") {
  const parked: (readonly string[])[] = [];
  const toolCalls = new ToolCalls({
    tools: [tool("f")],
    pacing: () => pacing,
    onParked: (callIds) => parked.push(callIds),
  });
  return { toolCalls, parked };
}

t.test(
  "a turn is parked when the model call is over and every call was asked for, in the model's order",
  async (t) => {
    const { toolCalls, parked } = createToolCalls();
    toolCalls.expect(call("a"));
    toolCalls.expect(call("b"));
    void toolCalls.open("b");
    toolCalls.modelCallCompleted();
    t.same(parked, []);
    void toolCalls.open("a");
    t.same(parked, [["a", "b"]]);
  },
);

t.test("Codex may ask before the model call is over", async (t) => {
  const { toolCalls, parked } = createToolCalls();
  toolCalls.expect(call("a"));
  void toolCalls.open("a");
  t.same(parked, []);
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"]]);
});

t.test("a call of a function that nobody declared is not waited for", async (t) => {
  const { toolCalls, parked } = createToolCalls();
  toolCalls.expect(call("a"));
  toolCalls.expect(call("x", "unknown"));
  void toolCalls.open("a");
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"]]);
});

t.test("outputs go to their calls, and a call without one is answered as failed", async (t) => {
  const { toolCalls } = createToolCalls();
  toolCalls.expect(call("a"));
  toolCalls.expect(call("b"));
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

const output = (callId: string, text: string) => ({ callId, parts: [{ type: "text", text }] as const });
const answerOf = (text: string) => ({ success: true, contentItems: [{ type: "inputText", text }] });

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
  toolCalls.expect(call("a"));
  toolCalls.expect(call("b"));
  const b = toolCalls.open("b");
  toolCalls.modelCallCompleted();
  t.same(parked, [["a", "b"]], "it will not ask for a before b is answered");
  toolCalls.answer([output("a", "for a"), output("b", "for b")]);
  t.same(await b, answerOf("for b"));
  t.same(await toolCalls.open("a"), answerOf("for a"));
  t.equal(toolCalls.openCount, 0);
  t.equal(parked.length, 1);
  toolCalls.expect(call("c"));
  void toolCalls.open("c");
  t.equal(parked.length, 1, "the next model call has an end of its own");
  toolCalls.modelCallCompleted();
  t.same(parked[1], ["c"]);
});

t.test("a call that Codex cannot ask for is not waited for where it asks one by one", async (t) => {
  const { toolCalls, parked } = createToolCalls("one_by_one");
  toolCalls.expect({ ...call("broken"), arguments: '{"city":' });
  toolCalls.expect(call("a"));
  void toolCalls.open("a");
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"]]);
});

t.test("where Codex does not say that the model call is over, silence does", async (t) => {
  const parked: (readonly string[])[] = [];
  const first = await new Promise<ToolCalls>((resolve) => {
    const toolCalls = new ToolCalls({
      tools: [tool("f")],
      pacing: () => "unannounced",
      onParked: (callIds) => {
        parked.push(callIds);
        resolve(toolCalls);
      },
    });
    toolCalls.expect(call("a"));
    void toolCalls.open("a");
    t.equal(parked.length, 0);
    toolCalls.noteActivity();
    toolCalls.expect(call("b"));
    toolCalls.modelCallCompleted();
    t.equal(parked.length, 0, "what it says comes after the outputs and means nothing here");
  });
  t.same(parked, [["a", "b"]]);
  first.answer([output("a", "for a"), output("b", "for b")]);
  t.same(await first.open("b"), answerOf("for b"));
});

t.test("what Codex asks for while the caller has the word is not answered with it", async (t) => {
  const { toolCalls, parked } = createToolCalls("one_by_one");
  toolCalls.expect(call("a"));
  void toolCalls.open("a");
  toolCalls.modelCallCompleted();
  void toolCalls.open("late");
  toolCalls.answer([output("a", "for a")]);
  t.equal(toolCalls.openCount, 1);
  toolCalls.modelCallCompleted();
  t.same(parked, [["a"], ["late"]]);
});
