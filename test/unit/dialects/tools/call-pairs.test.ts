import t from "tap";
import { refuseUnpairedCalls } from "../../../../src/main/dialects/tools/call-pairs.js";
import type { JsonObject } from "../../../../src/workers/contract/json.js";
import { LoopShare } from "../../../../src/workers/contract/pace.js";
import { turnOf } from "../request-fixtures.js";

const checkPairs = (
  history: readonly JsonObject[],
  input: readonly JsonObject[],
  echoes?: ReadonlySet<number>,
) => refuseUnpairedCalls(history, input, new LoopShare().start(), echoes);
const call = (call_id: string) => ({ type: "function_call", call_id, name: "f", arguments: "{}" });
const custom = (call_id: string) => ({ type: "custom_tool_call", call_id, name: "f", input: "x" });
const output = (call_id: string) => ({ type: "function_call_output", call_id, output: "x" });
const user = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] };
const refused = (param: string, message: RegExp) => ({ code: "invalid_request", param, message });

t.test("calls and outputs in pairs are taken, in any order after the calls", async (t) => {
  await checkPairs([], [user, call("a"), call("b"), output("b"), output("a"), user]);
  t.equal(turnOf({ input: [user, call("a"), output("a")] }).request.items.length, 3);
});

t.test("an id may come again once its call is answered", async () => {
  await checkPairs([], [call("a"), output("a"), call("a"), output("a")]);
});

t.test("an output without a call before it is refused, which Codex would drop", async (t) => {
  const fault = refused("input[1].call_id", /no tool call found/);
  t.throws(() => turnOf({ input: [user, output("a")] }), fault);
  t.throws(() => turnOf({ input: [user, output("a"), call("a")] }), fault, "a later call is none");
});

t.test("a call without its output is refused, which Codex would answer itself", async (t) => {
  const fault = refused("input[0].call_id", /no tool output found for function call 'a'/);
  t.throws(() => turnOf({ input: [call("a"), user] }), fault);
  t.throws(() => turnOf({ input: [call("a")] }), fault);
});

t.test("a second output for one call is refused", async (t) => {
  const fault = refused("input[2].call_id", /call 'a' has its output already/);
  t.throws(() => turnOf({ input: [call("a"), output("a"), output("a")] }), fault);
});

t.test("two open calls of one id are refused, of whatever kind", async (t) => {
  const fault = refused("input[1].call_id", /call 'a' is open already, since input\[0\]\.call_id/);
  t.throws(() => turnOf({ input: [call("a"), call("a"), output("a"), output("a")] }), fault);
  t.throws(() => turnOf({ input: [call("a"), custom("a"), output("a")] }), fault);
});

t.test("an output of another kind of call is none", async (t) => {
  t.throws(() => turnOf({ input: [custom("a"), output("a")] }), refused("input[1].call_id", /custom tool/));
});

t.test("a history that is not whole yet is checked when it is", async (t) => {
  t.equal(turnOf({ input: [output("a")], previous_response_id: "resp_1" }).request.items.length, 1);
  t.equal(turnOf({ input: [{ id: "fc_1" }, output("a")] }).request.items.length, 2);
  await checkPairs([call("a")], [output("a")]);
  await t.rejects(
    checkPairs([call("a")], [user, output("b")]),
    refused("input[1].call_id", /no tool call found/),
  );
  await t.rejects(checkPairs([call("a")], [user]), refused("input", /no tool output found/));
});

t.test("what the history has already is passed over, and faults keep the request's numbers", async (t) => {
  const echo = call("a");
  await checkPairs([call("a")], [echo, output("a")], new Set([0]));
  await t.rejects(
    checkPairs([call("a")], [echo, output("a"), output("a")], new Set([0])),
    refused("input[2].call_id", /output already/),
  );
});

t.test("the cost of pairing grows with the number of calls and no faster", async (t) => {
  const pairs = (count: number) => Array.from({ length: count }, (_, at) => call(`c${at}`));
  const costOf = async (count: number) => {
    const calls = pairs(count);
    const items = [...calls, ...calls.map(({ call_id }) => output(call_id)).reverse()];
    const startedAt = performance.now();
    await checkPairs([], items);
    return performance.now() - startedAt;
  };
  await costOf(10_000);
  const small = Math.max(await costOf(10_000), await costOf(10_000), await costOf(10_000));
  // Ten would be linear; a machine with other work takes its time.
  t.ok((await costOf(100_000)) < 60 * small + 500);
});
