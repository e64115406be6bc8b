/** The drift test is only worth what it notices. */
import t from "tap";
import { SchemaReader } from "./support/json-schema.js";
import { findReadDrift, findWriteDrift, type Side } from "./support/protocol-drift.js";

function side(schema: unknown): Side {
  return { schema, reader: new SchemaReader({ definitions: { Text: { type: "string" } } }) };
}

const object = (properties: object, required: readonly string[] = Object.keys(properties)) =>
  side({ type: "object", properties, required });

const text = { type: "string" };

t.test("a key we read that is gone, optional, of another type or nullable is named", async (t) => {
  const ours = object({ id: text, note: text }, ["id"]);
  t.strictSame(findReadDrift(ours, object({ id: { $ref: "#/definitions/Text" }, note: text }), "m"), []);
  t.strictSame(findReadDrift(ours, object({ note: text }), "m"), ["m.id: is gone"]);
  t.strictSame(findReadDrift(ours, object({ id: text }), "m"), ["m.note: is gone"]);
  t.strictSame(findReadDrift(ours, object({ id: text, note: text }, []), "m"), ["m.id: may be absent"]);
  t.strictSame(findReadDrift(ours, object({ id: { type: "integer" }, note: text }), "m"), [
    "m.id: may be integer, which we do not read",
  ]);
  t.strictSame(findReadDrift(ours, object({ id: { type: ["string", "null"] }, note: text }), "m"), [
    "m.id: may be null, which we do not read",
  ]);
});

t.test("a word we branch on that is gone is named, a new one is not", async (t) => {
  const ours = side({ anyOf: [{ enum: ["completed", "failed"] }, text] });
  t.strictSame(findReadDrift(ours, side({ enum: ["completed", "failed", "paused"] }), "status"), []);
  t.strictSame(findReadDrift(ours, side({ enum: ["completed"] }), "status"), ["status: failed is gone"]);
});

t.test("drift inside arrays and unions is named by its path", async (t) => {
  const ours = side({ type: "array", items: { type: "object", properties: { id: text }, required: ["id"] } });
  const theirs = side({
    type: "array",
    items: { oneOf: [{ type: "object", properties: { id: text }, required: ["id"] }, { type: "object" }] },
  });
  t.strictSame(findReadDrift(ours, theirs, "list"), ["list[].id: may be absent"]);
});

t.test("a parameter that is no longer taken, newly required or of another type is named", async (t) => {
  const ours = object({ id: text, mode: { enum: ["a", "b"] } }, ["id"]);
  const modes = { oneOf: [{ enum: ["a"] }, { enum: ["b"] }] };
  t.strictSame(findWriteDrift(ours, object({ id: text, mode: modes }, []), "p"), []);
  t.strictSame(findWriteDrift(ours, object({ id: text }), "p"), ["p.mode: is no longer taken"]);
  t.strictSame(findWriteDrift(ours, object({ id: text, mode: { enum: ["a"] } }, []), "p"), [
    "p.mode: b is no longer taken",
  ]);
  t.strictSame(findWriteDrift(ours, object({ id: text, mode: modes, size: { type: "integer" } }), "p"), [
    "p.mode: is required",
    "p.size: is required",
  ]);
  t.strictSame(findWriteDrift(ours, object({ id: { type: "integer" }, mode: modes }, []), "p"), [
    "p.id: string is no longer taken",
  ]);
});

t.test("an object without keys is held to what they require, a record of free keys is not", async (t) => {
  const theirs = object({ id: text });
  t.strictSame(findWriteDrift(object({}), theirs, "p"), ["p.id: is required"]);
  t.strictSame(findWriteDrift(side({ type: "object", additionalProperties: {} }), theirs, "p"), []);
});
