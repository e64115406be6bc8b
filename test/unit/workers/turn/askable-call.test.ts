import t from "tap";
import { canBeAskedFor } from "../../../../src/workers/turn/askable-call.js";

const call = (args: string, changes: object = {}) => ({
  type: "function_call",
  call_id: "c",
  name: "f",
  arguments: args,
  ...changes,
});
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

t.test("any JSON value that Codex's parser reads can be asked for", async (t) => {
  const taken = [
    ...["{}", '{"city":"Rome"}', '"x"', "[1]", "null", "3", "true", '{"a":1,"a":2}', " {} \n", '{"a":1e999}'],
    ...[
      nested(127),
      `"${"[".repeat(500)}"`,
      '{"a":"\\ud83d\\ude00"}',
      '{"a":"\\\\ud83d"}',
      '{"a":"\\u0000"}',
    ],
    '{"__proto__":{"a":1}}',
  ];
  for (const args of taken) t.ok(canBeAskedFor(call(args), "f"), args.slice(0, 40));
});

t.test("what Codex's parser does not read cannot be asked for", async (t) => {
  const refused = [
    ...["", "  ", '{"city":', "{'a':1}", '{"a":1,}', "{}{}", '{"a":NaN}', "```json\n{}\n```", "undefined"],
    ...[
      "\ufeff{}",
      '{"a":"\t"}',
      '{"a":"\\x"}',
      '{"a":01}',
      nested(128),
      `${"[".repeat(200)}${"]".repeat(200)}`,
    ],
    ...['{"a":"\\ud83d"}', '{"\\udc00":1}', '[{"a":["\\ude00\\ud83d"]}]'],
  ];
  for (const args of refused) t.notOk(canBeAskedFor(call(args), "f"), args.slice(0, 40));
  t.notOk(canBeAskedFor({ type: "function_call", name: "f" }, "f"));
});

t.test("a call by another name or in another namespace cannot be asked for", async (t) => {
  t.notOk(canBeAskedFor(call("{}"), "caller_f"));
  t.notOk(canBeAskedFor(call("{}", { namespace: "other" }), "f"));
  for (const namespace of [undefined, null, "", "functions"]) {
    t.ok(canBeAskedFor(call("{}", { namespace }), "f"), String(namespace));
  }
});
