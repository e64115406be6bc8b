import t from "tap";
import { newestTestedCodex } from "../../../../src/workers/contract/codex-capabilities.js";
import { ToolNames } from "../../../../src/workers/turn/tool-names.js";

const names = new ToolNames(
  { tools: [{ name: "f", description: "", parameters: {} }], isLite: false },
  newestTestedCodex,
);

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
  for (const args of taken) t.ok(names.canBeAskedFor(call(args)), args.slice(0, 40));
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
  for (const args of refused) t.notOk(names.canBeAskedFor(call(args)), args.slice(0, 40));
  t.notOk(names.canBeAskedFor({ type: "function_call", name: "f" }));
});

t.test("a call by another name or in another namespace cannot be asked for", async (t) => {
  t.notOk(names.canBeAskedFor(call("{}", { name: "caller_f" })));
  t.notOk(names.canBeAskedFor(call("{}", { namespace: "other" })));
  for (const namespace of [undefined, null, "", "functions"]) {
    t.ok(names.canBeAskedFor(call("{}", { namespace })), String(namespace));
  }
});
