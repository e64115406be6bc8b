import t from "tap";
import { refuseUnpairedCalls } from "../../../../src/main/dialects/responses/call-pairs.js";
import { turnOf } from "../request-fixtures.js";

const call = (call_id: string) => ({ type: "function_call", call_id, name: "f", arguments: "{}" });
const output = (call_id: string) => ({ type: "function_call_output", call_id, output: "x" });
const user = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] };

t.test("calls and outputs in pairs are taken, in any order", async (t) => {
  refuseUnpairedCalls([], [user, call("a"), call("b"), output("b"), output("a"), user]);
  t.equal(turnOf({ input: [user, call("a"), output("a")] }).request.items.length, 3);
});

t.test("an output without its call is refused, which Codex would drop", async (t) => {
  t.throws(() => turnOf({ input: [user, output("a")] }), {
    code: "invalid_request",
    param: "input[1]",
    message: /no tool call found/,
  });
});

t.test("a call without its output is refused, which Codex would answer itself", async (t) => {
  t.throws(() => turnOf({ input: [call("a"), user] }), {
    param: "input[0]",
    message: /no tool output found/,
  });
});

t.test("an output of another kind of call is none", async (t) => {
  const custom = { type: "custom_tool_call", call_id: "a", name: "f", input: "x" };
  t.throws(() => turnOf({ input: [custom, output("a")] }), { code: "invalid_request", param: "input[0]" });
});

t.test("a history that is not whole yet is checked when it is", async (t) => {
  t.equal(turnOf({ input: [output("a")], previous_response_id: "resp_1" }).request.items.length, 1);
  t.equal(turnOf({ input: [{ id: "fc_1" }, output("a")] }).request.items.length, 2);
  refuseUnpairedCalls([call("a")], [output("a")]);
  t.throws(() => refuseUnpairedCalls([call("a")], [user, output("b")]), {
    code: "invalid_request",
    param: "input",
  });
  t.throws(() => refuseUnpairedCalls([user], [user, output("b")]), {
    code: "invalid_request",
    param: "input[1]",
  });
});
