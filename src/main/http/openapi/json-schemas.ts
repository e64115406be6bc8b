/** zod schemas as named JSON schemas, which refer to each other by their names. */
import { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";
import type { Schema } from "../../dialects/operation.js";

export type NamedSchemas = Readonly<Record<string, z.ZodType>>;

interface JsonSchemaOptions {
  /** `input`: of requests. `output`: of answers. */
  readonly io: "input" | "output";
  /** Whether our objects refuse further keys. For tests only, since clients must accept such keys. Default: no. */
  readonly closed?: boolean;
}

export function toJsonSchemas(
  named: NamedSchemas,
  { io, closed = false }: JsonSchemaOptions,
): Readonly<Record<string, Schema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [
      id,
      tidyObject(schema, closed),
    ]),
  );
}

/** The variants of a union, named by the value that tells them apart. */
export function nameVariants(
  { options }: { readonly options: readonly z.ZodType[] },
  nameOf: (value: string) => string,
): NamedSchemas {
  return Object.fromEntries(options.map((option) => [nameOf(discriminatorOf(option)), option]));
}

/** `function_call` → `FunctionCall`. */
export function toPascalCase(value: string): string {
  return value
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** The properties of an object's schema; none where it is no object's. */
export function propertiesOf({ properties }: Schema): Schema {
  return isJsonObject(properties) ? properties : {};
}

function discriminatorOf(option: z.ZodType): string {
  const { type, role } = propertiesOf(z.toJSONSchema(option, { io: "input" }));
  const values = [type, role].map((property) =>
    isJsonObject(property) ? (property.const ?? [property.enum].flat()[0]) : null,
  );
  return String(values.find((value) => typeof value === "string"));
}

function tidy(value: unknown, closed: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => tidy(entry, closed));
  return isJsonObject(value) ? tidyObject(value, closed) : value;
}

/** Leaves out keywords without effect, and flattens a choice within a choice. */
function tidyObject(schema: Schema, closed: boolean): Schema {
  const entries = Object.entries(schema).filter(([key, value]) => !hasNoEffect(key, value, closed));
  const {
    oneOf,
    anyOf = oneOf,
    ...rest
  } = Object.fromEntries(entries.map(([key, value]) => [key, tidy(value, closed)]));
  if (!Array.isArray(anyOf)) return rest;
  // Never `oneOf`: a short form that leaves the type out may fit more than one variant.
  const choices = anyOf.flatMap((choice: unknown) =>
    sizeOf(choice) === 1 && isJsonObject(choice) && Array.isArray(choice.anyOf) ? choice.anyOf : [choice],
  );
  const [only] = choices;
  return choices.length === 1 && isJsonObject(only) ? { ...only, ...rest } : { ...rest, anyOf: choices };
}

function hasNoEffect(key: string, value: unknown, closed: boolean): boolean {
  if (key === "additionalProperties") return (value === false && !closed) || sizeOf(value) === 0;
  if (key === "propertyNames") return sizeOf(value) === 1;
  if (key === "maximum" || key === "minimum") return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
  return false;
}

/** The number of keywords of a schema; null for any other value. */
function sizeOf(value: unknown): number | null {
  return isJsonObject(value) ? Object.keys(value).length : null;
}
