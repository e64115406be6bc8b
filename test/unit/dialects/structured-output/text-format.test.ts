import t from "tap";
import { isJsonObject } from "../../../../src/workers/contract/json.js";
import { turnOf } from "../request-fixtures.js";

const strictSchema = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
  additionalProperties: false,
};
const looseSchema = { type: "object", properties: { a: { type: "string" } } };

const withFormat = (format: object) => turnOf({ text: { format } });

function directiveTextOf(turn: ReturnType<typeof turnOf>): string {
  const content = turn.request.directives?.[0]?.content;
  const part: unknown = Array.isArray(content) ? content[0] : null;
  return isJsonObject(part) ? String(part.text) : "";
}

t.test("a schema that keeps the strict rules goes its native way, said to be strict or not", async (t) => {
  for (const strict of [true, false, null, undefined]) {
    const turn = withFormat({ type: "json_schema", name: "n", schema: strictSchema, strict });
    t.strictSame(turn.request.outputSchema, strictSchema);
    t.equal(turn.request.directives, undefined);
    t.strictSame(turn.obligations, []);
    t.strictSame(turn.ignoredParameters, []);
  }
});

t.test("the description of a format becomes the schema's", async (t) => {
  const format = { type: "json_schema", name: "n", schema: strictSchema, description: "An answer." };
  t.match(withFormat(format).request.outputSchema, { description: "An answer." });
  const described = { ...format, schema: { ...strictSchema, description: "An a." } };
  t.match(withFormat(described).request.outputSchema, { description: "An answer.\n\nAn a." });
});

t.test("a schema that says it is strict and is not is refused with the path of the node", async (t) => {
  const schema = {
    ...strictSchema,
    properties: { a: { type: "array", items: { type: "object", properties: {} } } },
  };
  t.throws(() => withFormat({ type: "json_schema", name: "n", strict: true, schema }), {
    code: "invalid_request",
    param: "text.format.schema.properties.a.items.additionalProperties",
    message: /must be given and be false/,
  });
  t.throws(() => withFormat({ type: "json_schema", name: "n", strict: true, schema: looseSchema }), {
    code: "invalid_request",
    param: "text.format.schema.additionalProperties",
  });
});

t.test("another schema is put to the model in words, after the caller's items", async (t) => {
  const turn = withFormat({ type: "json_schema", name: "n", schema: looseSchema, description: "An answer." });
  t.notOk("outputSchema" in turn.request);
  t.equal(turn.request.items.length, 1);
  t.match(turn.request.directives, [{ type: "message", role: "developer" }]);
  const text = directiveTextOf(turn);
  t.ok(text.includes(JSON.stringify(looseSchema)));
  t.ok(text.includes("An answer."));
  t.strictSame(turn.obligations, [{ kind: "json_answer", param: "text.format", objectOnly: false }]);
  t.strictSame(turn.ignoredParameters, []);
});

t.test("JSON mode is put to the model in words, and its answer is checked", async (t) => {
  const turn = withFormat({ type: "json_object" });
  t.match(directiveTextOf(turn), /a single JSON object/);
  t.strictSame(turn.obligations, [{ kind: "json_answer", param: "text.format", objectOnly: true }]);
});

t.test("a name of a format that OpenAI would not take is refused", async (t) => {
  for (const name of ["", "a b", "é", "n".repeat(65)]) {
    t.throws(() => withFormat({ type: "json_schema", name, schema: strictSchema }), {
      code: "invalid_request",
      param: "text.format.name",
    });
  }
});
