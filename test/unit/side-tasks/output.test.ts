import t from "tap";
import { OutputSchemas } from "../../../src/main/side-tasks/output-schema.js";
import { collectText, readReply } from "../../../src/main/side-tasks/output-text.js";

const message = (text: string, more: object = {}) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
  ...more,
});

t.test("the answer is the last message, without what was said on the way", async (t) => {
  t.equal(readReply([message("first"), { type: "reasoning" }, message("last")]).text, "last");
  const commented = [message("the answer"), message("by the way", { phase: "commentary" })];
  t.equal(readReply(commented).text, "the answer");
  t.equal(readReply([message("the answer", { phase: "final_answer" })]).text, "the answer");
});

t.test("a refusal and no text at all are told apart", async (t) => {
  const refusal = { type: "message", content: [{ type: "refusal", refusal: "No." }] };
  t.strictSame(readReply([refusal]), { text: "No.", isRefusal: true });
  t.strictSame(readReply([message("yes")]), { text: "yes", isRefusal: false });
  t.throws(() => readReply([]), { failure: "bad_output", code: "empty_output" });
  t.throws(() => readReply([message(" \n")]), { failure: "bad_output", code: "empty_output" });
  t.throws(() => readReply([{ type: "message", content: "odd" }]), { code: "empty_output" });
  t.equal(collectText([message("a"), refusal, { type: "reasoning" }]), "aNo.");
});

t.test("a value that keeps the schema is given back, a fence around it taken off", async (t) => {
  const check = new OutputSchemas(4).compile({ type: "object", required: ["a"] });
  t.strictSame(check('{"a":1}'), { a: 1 });
  t.strictSame(check('\n```json\n{"a":\n1}\n```\n'), { a: 1 });
  t.strictSame(check('```\n{"a":1}\n```'), { a: 1 });
  t.strictSame(check('```JSON \r\n\n{"a":1}\n  ```'), { a: 1 });
  t.throws(() => check('Here it is: {"a":1}'), { failure: "bad_output", code: "not_json" });
  t.throws(() => check("{}"), { code: "schema_mismatch", message: /must have required property 'a'/ });
});

t.test("faults that are told have a bound", async (t) => {
  const check = new OutputSchemas(4).compile({ type: "array", items: { type: "string" } });
  t.throws(() => check(JSON.stringify(Array(30).fill(1))), { message: /\/9 must be string; and 20 more\.$/ });
});

t.test("an answer that is hard to read is judged, whatever it costs", async (t) => {
  const schemas = new OutputSchemas(4);
  const check = schemas.compile({ type: "array", items: { type: "string" } });
  // What a model writes that has lost its way.
  for (const text of [
    `\`\`\`${"\n".repeat(200_000)}x`,
    `\`\`\`json\n{}${"\n".repeat(200_000)}x`,
    "```",
    "```\n```",
  ])
    t.throws(() => check(text), { failure: "bad_output", code: "not_json" });
  const long = `[${"1,".repeat(40_000)}1]`;
  t.throws(() => check(long), { code: "schema_mismatch", message: /: \/0 must be string\.$/ });
  t.throws(() => check("[1,2]"), { message: /\/0 .*\/1 must be string\.$/ });
});

t.test("a schema whose check would be a promise is none", async (t) => {
  t.throws(() => new OutputSchemas(4).compile({ $async: true, type: "string" }), { message: /\$async/ });
});

t.test("schemas of the usual drafts and tools are taken", async (t) => {
  const schemas = new OutputSchemas(64);
  for (const schema of [
    { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] },
    { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }] },
    { $schema: "http://json-schema.org/draft-06/schema#", items: [{ type: "string" }] },
    { items: { type: "string", format: "no-such-format" }, "x-tool": true },
    { $defs: { s: { type: "string" } }, items: { $ref: "#/$defs/s" } },
  ]) {
    const check = schemas.compile(schema);
    t.strictSame(check('["a"]'), ["a"]);
    t.throws(() => check("[1]"), { code: "schema_mismatch" });
  }
});

t.test("a schema with an id may come again, also in another form", async (t) => {
  const schemas = new OutputSchemas(64);
  t.strictSame(schemas.compile({ $id: "https://schemas.example/x", type: "string" })('"a"'), "a");
  t.strictSame(schemas.compile({ $id: "https://schemas.example/x", type: "number" })("1"), 1);
});

t.test("what is no schema throws", async (t) => {
  const schemas = new OutputSchemas(4);
  t.throws(() => schemas.compile({ type: "no-such-type" }));
  t.throws(() => schemas.compile({ $ref: "https://elsewhere.example/schema" }));
});

t.test("compiled schemas are kept by their text, up to a bound", async (t) => {
  const schemas = new OutputSchemas(2);
  const first = schemas.compile({ const: 1 });
  t.equal(schemas.compile({ const: 1 }), first);
  schemas.compile({ const: 2 });
  schemas.compile({ const: 1 });
  schemas.compile({ const: 3 });
  t.equal(schemas.size, 2);
  t.equal(schemas.compile({ const: 1 }), first, "used of late, so kept");
});
