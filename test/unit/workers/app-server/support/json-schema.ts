/** Reading JSON schemas: just enough of draft 7 for the app-server's own and for what zod prints. */
import { isJsonObject, type JsonObject } from "../../../../../src/workers/contract/json.js";

export type SchemaKind = "object" | "array" | "string" | "integer" | "number" | "boolean" | "null";

/** One way a value may look. `anything`: the schema says nothing of it. */
export type SchemaVariant =
  | { readonly kind: "anything" }
  | { readonly kind: SchemaKind; readonly schema: JsonObject; readonly values: readonly unknown[] | null };

const kinds: readonly SchemaKind[] = ["object", "array", "string", "integer", "number", "boolean", "null"];

export class SchemaReader {
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** The variants of a schema, with references followed and unions flattened. */
  variants(schema: unknown): readonly SchemaVariant[] {
    if (!isJsonObject(schema)) return [{ kind: "anything" }];
    if (typeof schema.$ref === "string") return this.variants(this.#resolve(schema.$ref));
    const union = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(union)) return union.flatMap((part) => this.variants(withProperties(part, schema)));
    if (Array.isArray(schema.allOf) && schema.allOf.length === 1) return this.variants(schema.allOf[0]);
    const values = "const" in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : null;
    const named = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type];
    const types = named.length > 0 ? named : [...new Set((values ?? []).map(kindOf))];
    if (types.length === 0) return [{ kind: "anything" }];
    return kinds.filter((kind) => types.includes(kind)).map((kind) => ({ kind, schema, values }));
  }

  #resolve(ref: string): unknown {
    let at: unknown = this.#root;
    for (const part of ref.replace(/^#\//, "").split("/")) at = isJsonObject(at) ? at[part] : undefined;
    if (at === undefined) throw new Error(`no such definition: ${ref}`);
    return at;
  }
}

/** What a union's own schema says beside the union holds for each of its parts. */
function withProperties(part: unknown, outer: JsonObject): unknown {
  if (!isJsonObject(part) || !isJsonObject(outer.properties) || part.$ref !== undefined) return part;
  return {
    ...part,
    properties: { ...outer.properties, ...propertiesOf(part) },
    required: [...requiredOf(outer), ...requiredOf(part)],
  };
}

export function propertiesOf(schema: JsonObject): JsonObject {
  return isJsonObject(schema.properties) ? schema.properties : {};
}

export function requiredOf(schema: JsonObject): readonly string[] {
  return Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === "string") : [];
}

/** The schema that one value and no other fits. */
export function schemaOfValue(value: unknown): JsonObject {
  if (Array.isArray(value)) return { type: "array", items: { anyOf: value.map(schemaOfValue) } };
  if (!isJsonObject(value)) return { const: value };
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, part]) => [name, schemaOfValue(part)])),
    required: entries.map(([name]) => name),
  };
}

function kindOf(value: unknown): SchemaKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value === "boolean" || typeof value === "string")
    return typeof value === "string" ? "string" : "boolean";
  return "object";
}
