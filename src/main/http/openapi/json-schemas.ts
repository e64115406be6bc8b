/** zod schemas as named JSON schemas, which refer to each other by their names. */
import { z } from "zod";
import type { Schema } from "./types.js";

export type NamedSchemas = Readonly<Record<string, z.ZodType>>;

interface JsonSchemaOptions {
  /** `input`: what may be sent to us. `output`: what we send. */
  readonly io: "input" | "output";
  /** Whether objects of ours refuse further keys. Clients must take such, so only tests want it. Default: no. */
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

function discriminatorOf(option: z.ZodType): string {
  const { properties } = z.toJSONSchema(option, { io: "input" });
  const { type, role } = properties ?? {};
  const told = [type, role].flatMap((property) =>
    typeof property === "object" ? [property.const ?? property.enum?.[0]] : [],
  );
  return String(told.find((value) => typeof value === "string"));
}

function tidy(value: unknown, closed: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => tidy(entry, closed));
  return isSchema(value) ? tidyObject(value, closed) : value;
}

/** Leaves out what says nothing, and makes a choice within a choice one. */
function tidyObject(schema: Schema, closed: boolean): Schema {
  const entries = Object.entries(schema).filter(([key, value]) => !saysNothing(key, value, closed));
  const {
    oneOf,
    anyOf = oneOf,
    ...rest
  } = Object.fromEntries(entries.map(([key, value]) => [key, tidy(value, closed)]));
  if (!Array.isArray(anyOf)) return rest;
  // Never `oneOf`: a short form that leaves the type out may fit more than one variant.
  const choices = anyOf.flatMap((choice: unknown) =>
    isSchema(choice) && Object.keys(choice).length === 1 && Array.isArray(choice.anyOf)
      ? choice.anyOf
      : [choice],
  );
  const [only] = choices;
  return choices.length === 1 && isSchema(only) ? { ...only, ...rest } : { ...rest, anyOf: choices };
}

function saysNothing(key: string, value: unknown, closed: boolean): boolean {
  if (key === "additionalProperties") return (value === false && !closed) || isEmpty(value);
  if (key === "propertyNames") return isSchema(value) && Object.keys(value).length === 1;
  if (key === "maximum" || key === "minimum") return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
  return false;
}

function isEmpty(value: unknown): boolean {
  return isSchema(value) && Object.keys(value).length === 0;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
