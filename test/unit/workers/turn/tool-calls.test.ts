import t from "tap";
import { ToolCalls } from "../../../../src/workers/turn/tool-calls.js";
import { ToolNames } from "../../../../src/workers/turn/tool-names.js";

const tool = (name: string) => ({ name, description: "", parameters: {} });
const call = (callId: string, name = "f") => ({
  type: "function_call",
  call_id: callId,
  name,
  arguments: "{}",
});

function createToolCalls() {
  const parked: (readonly string[])[] = [];
  const toolCalls = new ToolCalls([tool("f")], (callIds) => parked.push(callIds));
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

t.test("names that Codex keeps for itself are sent under another and come back as they were", async (t) => {
  const names = new ToolNames([tool("exec_command"), tool("caller_exec_command"), tool("weather")]);
  t.equal(names.toNative("weather"), "weather");
  const native = names.toNative("exec_command");
  t.equal(native, "caller_exec_command_", "a name that is the caller's own is not taken");
  t.same(names.toNativeItem(call("a", "exec_command")), call("a", native));
  t.same(names.toOriginalItem(call("a", native)), call("a", "exec_command"));
  const message = { type: "message", name: "exec_command" };
  t.equal(names.toNativeItem(message), message);
});
