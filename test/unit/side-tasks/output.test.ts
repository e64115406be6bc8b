import t from "tap";
import { OutputSchemas } from "../../../src/main/side-tasks/output-schema.js";
import { collectText, readAnswer } from "../../../src/main/side-tasks/output-text.js";

const message = (text: string, more: object = {}) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
  ...more,
});

t.test("the answer is the last message, without what was said on the way", async (t) => {
  t.equal(readAnswer([message("first"), { type: "reasoning" }, message("last")]), "last");
  t.equal(readAnswer([message("the answer"), message("by the way", { phase: "commentary" })]), "the answer");
  t.equal(readAnswer([message("the answer", { phase: "final_answer" })]), "the answer");
});

t.test("a refusal and no text at all are told apart", async (t) => {
  const refusal = { type: "message", content: [{ type: "refusal", refusal: "No." }] };
  t.throws(() => readAnswer([refusal]), { failure: "content_policy", code: "refusal", outputText: "No." });
  t.throws(() => readAnswer([]), { failure: "bad_output", code: "empty_output" });
  t.throws(() => readAnswer([message(" \n")]), { failure: "bad_output", code: "empty_output" });
  t.throws(() => readAnswer([{ type: "message", content: "odd" }]), { code: "empty_output" });
  t.equal(collectText([message("a"), refusal, { type: "reasoning" }]), "aNo.");
});

t.test("a value that keeps the schema is given back, a fence around it taken off", async (t) => {
  const check = new OutputSchemas(4).compile({ type: "object", required: ["a"] });
  t.strictSame(check('{"a":1}'), { a: 1 });
  t.strictSame(check('\n```json\n{"a":\n1}\n```\n'), { a: 1 });
  t.strictSame(check('```\n{"a":1}\n```'), { a: 1 });
  t.throws(() => check('Here it is: {"a":1}'), { failure: "bad_output", code: "not_json" });
  t.throws(() => check("{}"), { code: "schema_mismatch", message: /must have required property 'a'/ });
});

t.test("faults that are told have a bound", async (t) => {
  const check = new OutputSchemas(4).compile({ type: "array", items: { type: "string" } });
  t.throws(() => check(JSON.stringify(Array(30).fill(1))), { message: /\/9 must be string; and 20 more\.$/ });
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
