import t from "tap";
import { type ItemChunk, readChunk } from "../../../../src/workers/contract/item-chunk.js";
import type { JsonObject } from "../../../../src/workers/contract/json.js";
import { splitLastStep } from "../../../../src/workers/turn/last-step.js";
import { packed } from "../../../support/packed-items.js";

const says = (role: string, text: string): JsonObject => ({ type: "message", role, content: [{ text }] });
const user = says("user", "hi");
const developer = says("developer", "Be brief.");
const thought: JsonObject = { type: "reasoning", id: "rs_1", summary: [] };
const call = (id: string): JsonObject => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" });
const output = (id: string): JsonObject => ({ type: "function_call_output", call_id: id, output: "1" });

const pack = (items: readonly JsonObject[]): ItemChunk => {
  const [chunk] = packed(...items);
  if (chunk === undefined) throw new Error("no items");
  return chunk;
};

/** The last step, in one chunk for all and in one for each. */
function lastOf(items: readonly JsonObject[]): readonly JsonObject[] {
  const [whole, single] = [[pack(items)], items.map((item) => pack([item]))].map((chunks) => {
    const { before, last } = splitLastStep(chunks, pack);
    const read = (part: readonly ItemChunk[]) => part.flatMap((chunk) => readChunk(chunk));
    t.strictSame([...read(before), ...read(last)], items, "nothing is lost or moved");
    return read(last);
  });
  t.strictSame(whole, single);
  return whole ?? [];
}

t.test("a message that comes last is the step", async (t) => {
  t.strictSame(lastOf([user]), [user]);
  t.strictSame(lastOf([user, user, developer]), [developer]);
  t.strictSame(lastOf([user, call("1"), output("1"), user]), [user]);
});

t.test(
  "outputs that come last stay with their calls, and these with what the model said along with them",
  async (t) => {
    const step = [thought, says("assistant", "I look."), call("1"), call("2"), output("1"), output("2")];
    t.strictSame(lastOf([developer, user, ...step]), step);
    t.strictSame(lastOf([user, call("0"), output("0"), ...step]), step, "the step before is whole too");
    t.strictSame(lastOf(step), step, "nothing comes before");
    const custom = [
      { type: "custom_tool_call", call_id: "1", name: "f", input: "" },
      { type: "custom_tool_call_output", call_id: "1", output: "" },
    ];
    t.strictSame(lastOf([user, ...custom]), custom);
  },
);

t.test("outputs without calls, and an answer that the caller sends last, are a step too", async (t) => {
  t.strictSame(lastOf([output("1")]), [output("1")]);
  t.strictSame(lastOf([user, thought, says("assistant", "Yes")]), [thought, says("assistant", "Yes")]);
});

t.test("a chunk that is cut keeps its traits", async (t) => {
  const chunks = packed(says("system", "Be brief."), user);
  const { before, last } = splitLastStep(chunks, pack);
  t.ok(before.every(({ traits }) => traits === chunks[0]?.traits));
  t.ok(last.every(({ traits }) => traits === chunks[0]?.traits));
});

t.test("tools that an item brings are no step", async (t) => {
  const tools: JsonObject = { type: "additional_tools", role: "developer", tools: [] };
  t.strictSame(lastOf([developer, user, tools]), [user, tools]);
  t.strictSame(lastOf([user, call("1"), tools, output("1")]), [call("1"), tools, output("1")]);
  t.strictSame(lastOf([tools, user]), [user]);
});
