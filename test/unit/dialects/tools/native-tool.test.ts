import t from "tap";
import { toNativeTool } from "../../../../src/main/dialects/tools/native-tool.js";

function nativeOf(parameters: Readonly<Record<string, unknown>>, description = "Looks.") {
  const declaration = { type: "function" as const, name: "look", description, parameters };
  return toNativeTool({ kind: "function", name: "look", declaration, namespace: null });
}

const withA = (a: unknown) => ({ type: "object", properties: { a } });

function settled(a: unknown): unknown {
  const { properties } = nativeOf(withA(a)).parameters;
  return Reflect.get(Object(properties), "a");
}

t.test("a schema that Codex carries whole is left as it is", async (t) => {
  const parameters = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    title: "T",
    properties: {
      a: { type: ["string", "null"], description: "d" },
      b: { anyOf: [{ $ref: "#/$defs/c" }, { type: "null" }] },
      c: { type: "array", items: { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 } },
      d: { type: "object", properties: {}, additionalProperties: { type: "string" } },
    },
    required: ["a"],
    additionalProperties: false,
    $defs: { c: { type: "string", enum: ["x"] } },
  };
  t.strictSame(nativeOf(parameters), { name: "look", description: "Looks.", parameters });
});

t.test("what Codex would take for text is told apart", async (t) => {
  t.strictSame(settled({ enum: [1, 2] }), { enum: [1, 2], type: "integer" });
  t.strictSame(settled({ enum: ["a", 1.5, null] }), {
    enum: ["a", 1.5, null],
    type: ["string", "number", "null"],
  });
  t.strictSame(settled({ const: true }), { const: true, type: "boolean" });
  t.strictSame(settled({ type: "string", const: "x" }), { type: "string", const: "x" });
  t.strictSame(settled(true), {});
  t.strictSame(settled({ type: "array" }), { type: "array", items: {} });
  t.strictSame(settled({ type: ["array", "null"], items: true }), { type: ["array", "null"], items: {} });
  t.strictSame(settled({ anyOf: [true, { const: 3 }] }), { anyOf: [{}, { const: 3, type: "integer" }] });
  t.strictSame(settled({ type: "object", additionalProperties: { enum: [1] } }), {
    type: "object",
    additionalProperties: { enum: [1], type: "integer" },
  });
});

t.test("what Codex drops is told in the description of the function", async (t) => {
  const lossy: readonly unknown[] = [
    { type: "string", format: "date" },
    { type: "integer", minimum: 0 },
    { type: "string", default: "x" },
    { type: "array", items: { type: "string", maxLength: 3 } },
    { type: "array", prefixItems: [{ type: "string" }] },
    { type: "object", properties: {}, patternProperties: { "^x": { type: "string" } } },
    { description: "anything at all" },
    { not: {} },
    false,
  ];
  for (const a of lossy) {
    const { description } = nativeOf(withA(a));
    t.ok(description.startsWith("Looks.\n\n"));
    t.ok(description.endsWith(JSON.stringify(withA(a))), JSON.stringify(a));
  }
  t.match(
    nativeOf(withA({ type: "string", format: "date" }), "").description,
    /^JSON schema of the parameters/,
  );
});

t.test("a schema so large that Codex drops its descriptions is told in the function's", async (t) => {
  const properties = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`p${index}`, { type: "string", description: "d".repeat(200) }]),
  );
  t.match(nativeOf({ type: "object", properties }).description, /dddd/);
});

t.test("the caller's schema is not changed", async (t) => {
  const parameters = Object.freeze(withA(Object.freeze({ type: "array" })));
  nativeOf(parameters);
  t.strictSame(parameters, withA({ type: "array" }));
});
