/**
 * OpenAI's rules for strict schemas (guide "Structured model outputs", section "Supported schemas"), since Codex asks for every
 * output schema in the strict form: what breaks them would be refused upstream, late and without a path. Keywords are
 * refused by the list that the official client has; an unknown one is the backend's to judge.
 */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";

type Path = readonly (string | number)[];

export interface SchemaFault {
  /** From the schema's root. */
  readonly path: Path;
  readonly message: string;
}

/** Of the official client's `toStrictJsonSchema`; `oneOf` it rewrites, as the API does not take it. */
const unsupportedKeywords = [
  "$anchor",
  "$dynamicAnchor",
  "$dynamicRef",
  "$recursiveAnchor",
  "$recursiveRef",
  "additionalItems",
  "allOf",
  "contains",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
  "dependencies",
  "dependentRequired",
  "dependentSchemas",
  "else",
  "if",
  "maxContains",
  "maxProperties",
  "minContains",
  "minProperties",
  "not",
  "oneOf",
  "patternProperties",
  "prefixItems",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
  "uniqueItems",
] as const;

const typeNames: ReadonlySet<unknown> = new Set([
  "string",
  "number",
  "integer",
  "boolean",
  "object",
  "array",
  "null",
]);

/** The first place where a schema breaks the rules; null if it keeps them. */
export function findStrictFault(schema: JsonObject): SchemaFault | null {
  if (schema.anyOf !== undefined)
    return fault(["anyOf"], "is not permitted at the root, which must be an object");
  if (schema.type !== "object") return fault(["type"], "must be 'object' at the root");
  return new StrictWalk(schema).check(schema, [], 0);
}

class StrictWalk {
  readonly #root: JsonObject;
  readonly #size = new SchemaSize();

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** `depth` counts the objects around this node. */
  check(node: unknown, path: Path, depth: number): SchemaFault | null {
    if (!isJsonObject(node)) return fault(path, "must be a schema object");
    if (path.length > strictLimits.maxPathSteps) return fault(path, "is nested too deeply");
    const keyword = unsupportedKeywords.find((key) => node[key] !== undefined);
    if (keyword !== undefined) return fault([...path, keyword], "is not permitted in a strict schema");
    return (
      this.#checkType(node, path) ??
      this.#checkRef(node, path) ??
      this.#checkValues(node, path) ??
      this.#checkObject(node, path, depth) ??
      this.#checkArray(node, path, depth) ??
      this.#checkUnion(node, path, depth) ??
      this.#checkDefinitions(node, path, depth)
    );
  }

  #checkType(node: JsonObject, path: Path): SchemaFault | null {
    const { type } = node;
    if (type === undefined) {
      const says = ["anyOf", "$ref", "enum", "const"].some((key) => node[key] !== undefined);
      return says ? null : fault(path, "must have a 'type'");
    }
    const types = Array.isArray(type) ? type : [type];
    const isKnown = types.length > 0 && types.every((name) => typeNames.has(name));
    return isKnown
      ? null
      : fault([...path, "type"], `must be one of ${[...typeNames].join(", ")}, or a list of them`);
  }

  #checkRef({ $ref: ref }: JsonObject, path: Path): SchemaFault | null {
    if (ref === undefined) return null;
    const at = [...path, "$ref"];
    if (typeof ref !== "string" || !ref.startsWith("#"))
      return fault(at, "must point into this schema, as '#/$defs/name'");
    return isJsonObject(resolveLocalRef(this.#root, ref)) ? null : fault(at, "points to no schema");
  }

  #checkValues(node: JsonObject, path: Path): SchemaFault | null {
    if (node.const !== undefined) {
      const tooMuch = this.#size.addNames([node.const]);
      if (tooMuch !== null) return fault([...path, "const"], tooMuch);
    }
    const { enum: values } = node;
    if (values === undefined) return null;
    const at = [...path, "enum"];
    if (!Array.isArray(values) || values.length === 0)
      return fault(at, "must be a list with at least one value");
    const tooMuch = this.#size.addEnum(values);
    return tooMuch === null ? null : fault(at, tooMuch);
  }

  #checkObject(node: JsonObject, path: Path, depth: number): SchemaFault | null {
    if (!hasType(node, "object") && node.properties === undefined) return null;
    if (depth + 1 > strictLimits.maxDepth) {
      return fault(path, `is nested deeper than ${strictLimits.maxDepth} levels`);
    }
    if (node.additionalProperties !== false) {
      return fault([...path, "additionalProperties"], "must be given and be false");
    }
    const properties = node.properties ?? {};
    if (!isJsonObject(properties)) return fault([...path, "properties"], "must be an object");
    const names = Object.keys(properties);
    const tooMuch = this.#size.addProperties(names);
    if (tooMuch !== null) return fault([...path, "properties"], tooMuch);
    return (
      checkRequired(node.required, names, [...path, "required"]) ??
      this.#checkEach(properties, [...path, "properties"], depth + 1)
    );
  }

  #checkArray(node: JsonObject, path: Path, depth: number): SchemaFault | null {
    if (node.items === undefined) {
      return hasType(node, "array") ? fault([...path, "items"], "must be given") : null;
    }
    return this.check(node.items, [...path, "items"], depth);
  }

  #checkUnion({ anyOf }: JsonObject, path: Path, depth: number): SchemaFault | null {
    if (anyOf === undefined) return null;
    const at = [...path, "anyOf"];
    if (!Array.isArray(anyOf) || anyOf.length === 0)
      return fault(at, "must be a list with at least one schema");
    for (const [index, branch] of anyOf.entries()) {
      const found = this.check(branch, [...at, index], depth);
      if (found !== null) return found;
    }
    return null;
  }

  /** A definition is measured from its own root: what refers to it may be anywhere, itself included. */
  #checkDefinitions(node: JsonObject, path: Path, depth: number): SchemaFault | null {
    for (const key of ["$defs", "definitions"]) {
      const definitions = node[key];
      if (definitions === undefined) continue;
      const at = [...path, key];
      if (!isJsonObject(definitions)) return fault(at, "must be an object");
      const tooMuch = this.#size.addNames(Object.keys(definitions));
      if (tooMuch !== null) return fault(at, tooMuch);
      const found = this.#checkEach(definitions, at, depth);
      if (found !== null) return found;
    }
    return null;
  }

  #checkEach(schemas: JsonObject, path: Path, depth: number): SchemaFault | null {
    for (const [name, schema] of Object.entries(schemas)) {
      const found = this.check(schema, [...path, name], depth);
      if (found !== null) return found;
    }
    return null;
  }
}

function checkRequired(required: unknown, names: readonly string[], path: Path): SchemaFault | null {
  const listed: readonly unknown[] = Array.isArray(required) ? required : [];
  if (required !== undefined && !Array.isArray(required)) return fault(path, "must be a list of names");
  const missing = names.find((name) => !listed.includes(name));
  if (missing !== undefined) return fault(path, `must list every property: '${missing}' is missing`);
  const extra = listed.find((name) => !names.some((known) => known === name));
  return extra === undefined ? null : fault(path, `lists '${String(extra)}', which is no property`);
}

function hasType({ type }: JsonObject, name: string): boolean {
  return Array.isArray(type) ? type.includes(name) : type === name;
}

function fault(path: Path, message: string): SchemaFault {
  return { path, message };
}

/** How large a strict schema may be, as OpenAI publishes it. */
export const strictLimits = {
  /** Objects within objects, the root counted. */
  maxDepth: 10,
  maxProperties: 5_000,
  maxEnumValues: 1_000,
  /** Property names, definition names, enum values and consts together. */
  maxNameChars: 120_000,
  /** From so many values of text on, one enum has a bound of its own. */
  largeEnumValues: 250,
  maxLargeEnumChars: 15_000,
  /** Steps to a node, whatever they are: keeps the walk off the end of the stack. */
  maxPathSteps: 200,
} as const;

/** Adds up what a schema holds. Each method says what became too much; null while all is within bounds. */
export class SchemaSize {
  #properties = 0;
  #enumValues = 0;
  #nameChars = 0;

  addProperties(names: readonly string[]): string | null {
    this.#properties += names.length;
    if (this.#properties > strictLimits.maxProperties) {
      return `brings the schema over ${strictLimits.maxProperties} properties`;
    }
    return this.addNames(names);
  }

  addEnum(values: readonly unknown[]): string | null {
    this.#enumValues += values.length;
    if (this.#enumValues > strictLimits.maxEnumValues) {
      return `brings the schema over ${strictLimits.maxEnumValues} enum values`;
    }
    if (values.length > strictLimits.largeEnumValues && countChars(values) > strictLimits.maxLargeEnumChars) {
      return `has more than ${strictLimits.largeEnumValues} values and ${strictLimits.maxLargeEnumChars} characters`;
    }
    return this.addNames(values);
  }

  addNames(names: readonly unknown[]): string | null {
    this.#nameChars += countChars(names);
    return this.#nameChars > strictLimits.maxNameChars
      ? `brings the schema over ${strictLimits.maxNameChars} characters of names and values`
      : null;
  }
}

function countChars(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}

/** What a local `$ref` (`#`, `#/$defs/name`: a JSON pointer) points to; undefined for nothing. */
export function resolveLocalRef(root: JsonObject, ref: string): unknown {
  const pointer = decodeFragment(ref);
  if (pointer === null) return undefined;
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return undefined;
  let found: unknown = root;
  for (const step of pointer.slice(1).split("/")) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function decodeFragment(ref: string): string | null {
  if (!ref.startsWith("#")) return null;
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    // A stray percent sign: such a reference points nowhere.
    return null;
  }
}
