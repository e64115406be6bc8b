import { zodTextFormat } from "openai/helpers/zod";
import t from "tap";
import { z } from "zod";
import {
  findStrictFault,
  strictLimits,
} from "../../../../src/main/dialects/structured-output/strict-schema.js";

type Schema = Readonly<Record<string, unknown>>;

/** An object that keeps the rules. */
function strictObject(properties: Schema, more: Schema = {}): Schema {
  return {
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...more,
  };
}

function faultPathOf(schema: Schema): string | null {
  return findStrictFault(schema)?.path.join(".") ?? null;
}

t.test("a schema that keeps the rules has no fault", async (t) => {
  const node = strictObject({ next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } });
  const cases: readonly (readonly [string, Schema])[] = [
    ["nothing in it", strictObject({})],
    ["no properties at all", { type: "object", additionalProperties: false }],
    [
      "every type",
      strictObject(
        Object.fromEntries(
          ["string", "number", "integer", "boolean", "null"].map((type) => [type, { type }]),
        ),
      ),
    ],
    ["an optional value", strictObject({ a: { type: ["string", "null"], description: "d", default: "x" } })],
    [
      "bounds and formats",
      strictObject({
        a: { type: "string", format: "email", pattern: "x", minLength: 1 },
        b: { type: "number", minimum: 0, multipleOf: 2 },
      }),
    ],
    [
      "enums and consts",
      strictObject({ a: { type: "string", enum: ["x", "y"] }, b: { const: 3 }, c: { enum: [1, null] } }),
    ],
    [
      "arrays",
      strictObject({ a: { type: "array", items: { type: "array", items: strictObject({}) }, minItems: 1 } }),
    ],
    ["a union", strictObject({ a: { anyOf: [strictObject({ b: { type: "string" } }), { type: "null" }] } })],
    ["recursion", strictObject({ head: { $ref: "#/$defs/node" } }, { $defs: { node } })],
    ["recursion from the root", strictObject({ child: { anyOf: [{ $ref: "#" }, { type: "null" }] } })],
    [
      "older definitions and escaped names",
      strictObject(
        { a: { $ref: "#/definitions/a~1b%20c" } },
        { definitions: { "a/b c": { type: "string" } } },
      ),
    ],
    [
      "what only describes",
      strictObject({}, { $schema: "http://json-schema.org/draft-07/schema#", title: "T", description: "d" }),
    ],
  ];
  for (const [name, schema] of cases) t.equal(findStrictFault(schema), null, name);
});

t.test("what the official client makes of a zod schema has no fault", async (t) => {
  const step = z.object({ explanation: z.string().describe("why"), output: z.number().int() });
  const schema = z.object({
    steps: z.array(step).min(1),
    answer: z.union([z.string(), z.null()]),
    kind: z.enum(["a", "b"]),
    when: z.iso.datetime().nullable(),
    nested: z.object({ first: step, second: step }),
  });
  t.equal(findStrictFault(zodTextFormat(schema, "answer").schema), null);
});

t.test("a fault has the path of the node, from the root of the schema", async (t) => {
  const inA = (schema: unknown) => strictObject({ a: schema });
  const cases: readonly (readonly [string, Schema, string])[] = [
    ["no type at the root", {}, "type"],
    ["a list at the root", { type: "array", items: { type: "string" } }, "type"],
    ["a union at the root", { type: "object", anyOf: [strictObject({})] }, "anyOf"],
    ["open by omission", { type: "object", properties: {} }, "additionalProperties"],
    ["open on purpose", strictObject({}, { additionalProperties: true }), "additionalProperties"],
    ["open further in", inA({ type: "object", properties: {} }), "properties.a.additionalProperties"],
    [
      "typed extras",
      inA({ type: "object", additionalProperties: { type: "string" } }),
      "properties.a.additionalProperties",
    ],
    [
      "an object that says so only by its properties",
      inA({ type: ["object", "null"], properties: {} }),
      "properties.a.additionalProperties",
    ],
    ["an optional property", { ...inA({ type: "string" }), required: [] }, "required"],
    ["no list of required ones", { ...inA({ type: "string" }), required: undefined }, "required"],
    ["a required one that does not exist", { ...strictObject({}), required: ["b"] }, "required"],
    ["a list of required ones that is none", { ...strictObject({}), required: "a" }, "required"],
    [
      "properties that are none",
      { type: "object", properties: [], additionalProperties: false },
      "properties",
    ],
    ["a node that is no schema", inA(true), "properties.a"],
    ["a node that is null", inA(null), "properties.a"],
    ["no type", inA({ description: "anything" }), "properties.a"],
    ["a type that does not exist", inA({ type: "float" }), "properties.a.type"],
    ["no type in the list", inA({ type: [] }), "properties.a.type"],
    ["a list of anything", inA({ type: "array" }), "properties.a.items"],
    ["a tuple", inA({ type: "array", items: [{ type: "string" }] }), "properties.a.items"],
    [
      "a fault in the entries of a list",
      inA({ type: "array", items: { type: "object" } }),
      "properties.a.items.additionalProperties",
    ],
    [
      "a fault in a branch",
      inA({ anyOf: [{ type: "string" }, { type: "object" }] }),
      "properties.a.anyOf.1.additionalProperties",
    ],
    ["a union of nothing", inA({ anyOf: [] }), "properties.a.anyOf"],
    ["an enum of nothing", inA({ type: "string", enum: [] }), "properties.a.enum"],
    ["a reference to nothing", inA({ $ref: "#/$defs/b" }), "properties.a.$ref"],
    ["a reference to another document", inA({ $ref: "https://x.example/s.json" }), "properties.a.$ref"],
    ["a reference along a prototype", inA({ $ref: "#/constructor" }), "properties.a.$ref"],
    ["a reference that is no pointer", inA({ $ref: "#%zz" }), "properties.a.$ref"],
    [
      "a fault in a definition",
      strictObject({}, { $defs: { b: { type: "object" } } }),
      "$defs.b.additionalProperties",
    ],
    ["definitions that are none", strictObject({}, { definitions: 3 }), "definitions"],
  ];
  for (const [name, schema, path] of cases) t.equal(faultPathOf(schema), path, name);
});

t.test("keywords that the strict form does not have are named", async (t) => {
  for (const keyword of [
    "allOf",
    "oneOf",
    "not",
    "if",
    "patternProperties",
    "propertyNames",
    "uniqueItems",
    "prefixItems",
    "dependentRequired",
  ]) {
    t.equal(faultPathOf(strictObject({ a: { type: "string", [keyword]: {} } })), `properties.a.${keyword}`);
  }
});

t.test("names of properties and values of enums are not taken for keywords", async (t) => {
  t.equal(
    findStrictFault(strictObject({ allOf: { type: "string" }, not: { type: "string", enum: ["allOf"] } })),
    null,
  );
});

/** A schema of so many objects within each other. */
function nest(levels: number): Schema {
  let schema = strictObject({});
  for (let level = 1; level < levels; level += 1) schema = strictObject({ a: schema });
  return schema;
}

t.test("objects may nest as deep as OpenAI says, and no deeper", async (t) => {
  t.equal(findStrictFault(nest(strictLimits.maxDepth)), null);
  t.equal(
    faultPathOf(nest(strictLimits.maxDepth + 1)),
    Array(strictLimits.maxDepth).fill("properties.a").join("."),
  );
});

t.test("lists do not count as levels, but have an end too", async (t) => {
  const lists = (count: number) => {
    let schema: Schema = { type: "string" };
    for (let level = 0; level < count; level += 1) schema = { type: "array", items: schema };
    return strictObject({ a: schema });
  };
  t.equal(findStrictFault(lists(20)), null);
  t.match(findStrictFault(lists(1_000))?.message, /too deeply/);
});

const many = (count: number, prefix = "p") =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

t.test("a schema has as many properties, values and characters as OpenAI says, and no more", async (t) => {
  const properties = (count: number) =>
    strictObject(Object.fromEntries(many(count).map((name) => [name, { type: "string" }])));
  t.equal(findStrictFault(properties(strictLimits.maxProperties)), null);
  t.equal(faultPathOf(properties(strictLimits.maxProperties + 1)), "properties");
  const values = (count: number) => strictObject({ a: { type: "string", enum: many(count) } });
  t.equal(findStrictFault(values(strictLimits.maxEnumValues)), null);
  t.equal(faultPathOf(values(strictLimits.maxEnumValues + 1)), "properties.a.enum");
  const largeEnum = (chars: number) =>
    strictObject({
      a: { type: "string", enum: [...many(strictLimits.largeEnumValues, ""), "x".repeat(chars)] },
    });
  t.equal(findStrictFault(largeEnum(1_000)), null);
  t.equal(faultPathOf(largeEnum(strictLimits.maxLargeEnumChars)), "properties.a.enum");
  const longName = (chars: number) => strictObject({ ["x".repeat(chars)]: { type: "string" } });
  t.equal(findStrictFault(longName(strictLimits.maxNameChars)), null);
  t.equal(faultPathOf(longName(strictLimits.maxNameChars + 1)), "properties");
  t.equal(
    faultPathOf(strictObject({ a: { const: "x".repeat(strictLimits.maxNameChars) } })),
    "properties.a.const",
  );
  const defs = strictObject(
    {},
    { $defs: { ["x".repeat(strictLimits.maxNameChars + 1)]: { type: "string" } } },
  );
  t.equal(faultPathOf(defs), "$defs");
});
