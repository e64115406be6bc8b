import t from "tap";
import type { ResponseChain } from "../../../src/main/continuation/chain.js";
import { findEchoes } from "../../../src/main/continuation/echoed-items.js";
import type { ContinuationRecord } from "../../../src/main/continuation/types.js";
import { ItemList } from "../../../src/main/history/item-list.js";
import type { JsonObject } from "../../../src/workers/contract/json.js";
import { LoopShare } from "../../../src/workers/contract/pace.js";
import { createRecord, message } from "./fixtures.js";

const call = (call_id: string, changes: object = {}) => ({
  type: "function_call",
  id: `fc_${call_id}`,
  call_id,
  name: "weather",
  arguments: "{}",
  ...changes,
});
const output = (call_id: string, text = "sunny") => ({ type: "function_call_output", call_id, output: text });

/** A chain of one response for each list of outputs, with the inputs before them. */
function chainOf(...steps: readonly { input?: readonly JsonObject[]; output: readonly JsonObject[] }[]) {
  const records = steps.map(({ input = [message("user", "hi")], output: outputItems }, at) => ({
    ...createRecord(`resp_${at}`, { inputItems: input, outputItems }),
    lastUsedAt: 0,
    expiresAt: 0,
  }));
  const items = ItemList.of(records.flatMap((record) => [...record.inputItems, ...record.outputItems]));
  return { records, items, head: records.at(-1) as ContinuationRecord } satisfies ResponseChain;
}

const kept = async (chain: ResponseChain, items: readonly JsonObject[]) => {
  const echoes = await findEchoes(chain, items, new LoopShare().start());
  return items.filter((_item, at) => !echoes.has(at));
};

t.test("a call that comes back with its output is an echo, with or without its id", async (t) => {
  const chain = chainOf({ output: [call("a"), call("b")] });
  const { id: _id, ...bare } = call("b", { arguments: "{ }", status: "completed" });
  const answers = [output("a"), output("b")];
  t.same(await kept(chain, [call("a"), bare, ...answers]), answers);
});

t.test("messages and reasoning of the model's are known by their ids", async (t) => {
  const answer = { ...message("assistant", "hello"), id: "msg_1" };
  const thought = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" };
  const chain = chainOf({ output: [thought, answer] });
  const asked = message("user", "and now?");
  const { encrypted_content: _secret, ...bareThought } = thought;
  t.same(await kept(chain, [bareThought, answer, asked]), [asked]);
});

t.test("what the caller wrote is never an echo by its id alone", async (t) => {
  const asked = { ...message("user", "again"), id: "msg_mine" };
  const chain = chainOf({ input: [asked], output: [call("a")] });
  t.same(await kept(chain, [asked]), [asked]);
});

t.test("a call that was answered already is an echo with its output", async (t) => {
  const chain = chainOf({ output: [call("a")] }, { input: [output("a")], output: [call("b")] });
  t.same(await kept(chain, [call("a"), output("a"), call("b"), output("b")]), [output("b")]);
});

t.test("a call of a used id that is answered in another way is a call of its own", async (t) => {
  const chain = chainOf({ output: [call("a")] }, { input: [output("a")], output: [] });
  const round = [call("a"), output("a", "rainy")];
  t.same(await kept(chain, round), round);
});

t.test("a call of another name or another kind is none, and a second echo neither", async (t) => {
  const chain = chainOf({ output: [call("a")] });
  const others = [call("a", { name: "time" }), { type: "custom_tool_call", call_id: "a", name: "weather" }];
  t.same(await kept(chain, others), others);
  t.same(await kept(chain, [call("a"), call("a")]), [call("a")]);
});

t.test(
  "the answer of a patch is its status and its words, and that of others their output alone",
  async (t) => {
    const patch = { type: "apply_patch_call", call_id: "p", operation: { type: "delete_file", path: "a" } };
    const answer = (status: string) => ({ type: "apply_patch_call_output", call_id: "p", status });
    const chain = chainOf({ output: [patch] }, { input: [answer("completed")], output: [] });
    const failed = [patch, answer("failed")];
    t.same(await kept(chain, failed), failed);
    t.same(await kept(chain, [patch, answer("completed")]), []);
    const called = chainOf({ output: [call("a")] }, { input: [output("a")], output: [] });
    t.same(await kept(called, [call("a"), { ...output("a"), status: "completed" }]), []);
  },
);
