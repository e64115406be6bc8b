/**
 * OpenAI's rules for strict schemas (guide "Structured model outputs", section "Supported schemas"), since Codex asks for every
 * output schema in the strict form: what breaks them would be refused upstream, late and without a path. Keywords are
 * refused by the list that the official client has; an unknown one is the backend's to judge.
 */
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";

type Path = readonly (string | number)[];

/** The first place where a schema breaks the rules. */
class StrictSchemaFault extends Error {
  /** From the schema's root. */
  readonly path: Path;

  constructor(path: Path, message: string) {
    super(message);
    this.path = path;
  }
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

const typeNames: readonly unknown[] = ["string", "number", "integer", "boolean", "object", "array", "null"];
const unknownType = `must be one of ${typeNames.join(", ")}, or a list of them`;

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

/** The first place where a schema breaks the rules; null if it keeps them. */
export function findStrictFault(schema: JsonObject): StrictSchemaFault | null {
  try {
    refuseIf(schema.anyOf !== undefined, ["anyOf"], "is not permitted at the root, which must be an object");
    refuseIf(schema.type !== "object", ["type"], "must be 'object' at the root");
    new StrictWalk(schema).check(schema, [], 0);
    return null;
  } catch (error) {
    if (error instanceof StrictSchemaFault) return error;
    throw error;
  }
}

function refuseIf(isBroken: boolean, path: Path, message: string): void {
  if (isBroken) throw new StrictSchemaFault(path, message);
}

/** Checks a schema from its root, and adds up what it holds. Throws at the first fault. */
class StrictWalk {
  readonly #root: JsonObject;
  #properties = 0;
  #enumValues = 0;
  #nameChars = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** @param depth the objects around this node */
  check(node: unknown, path: Path, depth: number): void {
    if (!isJsonObject(node)) throw new StrictSchemaFault(path, "must be a schema object");
    refuseIf(path.length > strictLimits.maxPathSteps, path, "is nested too deeply");
    const keyword = unsupportedKeywords.find((key) => node[key] !== undefined);
    if (keyword !== undefined) {
      throw new StrictSchemaFault([...path, keyword], "is not permitted in a strict schema");
    }
    checkType(node, path);
    this.#checkRef(node, path);
    this.#checkValues(node, path);
    this.#checkObject(node, path, depth);
    this.#checkArray(node, path, depth);
    this.#checkUnion(node, path, depth);
    this.#checkDefinitions(node, path, depth);
  }

  #checkRef({ $ref: ref }: JsonObject, path: Path): void {
    if (ref === undefined) return;
    const at = [...path, "$ref"];
    if (typeof ref !== "string" || !ref.startsWith("#")) {
      throw new StrictSchemaFault(at, "must point into this schema, as '#/$defs/name'");
    }
    refuseIf(!isJsonObject(resolveLocalRef(this.#root, ref)), at, "points to no schema");
  }

  #checkValues(node: JsonObject, path: Path): void {
    if (node.const !== undefined) this.#addNames([node.const], [...path, "const"]);
    const { enum: values } = node;
    if (values === undefined) return;
    const at = [...path, "enum"];
    if (!Array.isArray(values) || values.length === 0) {
      throw new StrictSchemaFault(at, "must be a list with at least one value");
    }
    const { maxEnumValues, largeEnumValues, maxLargeEnumChars } = strictLimits;
    this.#enumValues += values.length;
    refuseIf(this.#enumValues > maxEnumValues, at, `brings the schema over ${maxEnumValues} enum values`);
    const isTooLarge = values.length > largeEnumValues && countChars(values) > maxLargeEnumChars;
    refuseIf(isTooLarge, at, `has more than ${largeEnumValues} values and ${maxLargeEnumChars} characters`);
    this.#addNames(values, at);
  }

  #checkObject(node: JsonObject, path: Path, depth: number): void {
    if (!hasType(node, "object") && node.properties === undefined) return;
    const { maxDepth, maxProperties } = strictLimits;
    refuseIf(depth + 1 > maxDepth, path, `is nested deeper than ${maxDepth} levels`);
    const isClosed = node.additionalProperties === false;
    refuseIf(!isClosed, [...path, "additionalProperties"], "must be given and be false");
    const at = [...path, "properties"];
    const properties = node.properties ?? {};
    if (!isJsonObject(properties)) throw new StrictSchemaFault(at, "must be an object");
    const names = Object.keys(properties);
    this.#properties += names.length;
    refuseIf(this.#properties > maxProperties, at, `brings the schema over ${maxProperties} properties`);
    this.#addNames(names, at);
    checkRequired(node.required, names, [...path, "required"]);
    this.#checkEach(properties, at, depth + 1);
  }

  #checkArray(node: JsonObject, path: Path, depth: number): void {
    const at = [...path, "items"];
    if (node.items !== undefined) this.check(node.items, at, depth);
    else refuseIf(hasType(node, "array"), at, "must be given");
  }

  #checkUnion({ anyOf }: JsonObject, path: Path, depth: number): void {
    if (anyOf === undefined) return;
    const at = [...path, "anyOf"];
    if (!Array.isArray(anyOf) || anyOf.length === 0) {
      throw new StrictSchemaFault(at, "must be a list with at least one schema");
    }
    for (const [index, branch] of anyOf.entries()) this.check(branch, [...at, index], depth);
  }

  /** A definition is measured from its own root: what refers to it may be anywhere, itself included. */
  #checkDefinitions(node: JsonObject, path: Path, depth: number): void {
    for (const key of ["$defs", "definitions"]) {
      const definitions = node[key];
      if (definitions === undefined) continue;
      const at = [...path, key];
      if (!isJsonObject(definitions)) throw new StrictSchemaFault(at, "must be an object");
      this.#addNames(Object.keys(definitions), at);
      this.#checkEach(definitions, at, depth);
    }
  }

  #checkEach(schemas: JsonObject, path: Path, depth: number): void {
    for (const [name, schema] of Object.entries(schemas)) this.check(schema, [...path, name], depth);
  }

  #addNames(names: readonly unknown[], path: Path): void {
    const { maxNameChars } = strictLimits;
    this.#nameChars += countChars(names);
    const isTooMuch = this.#nameChars > maxNameChars;
    refuseIf(isTooMuch, path, `brings the schema over ${maxNameChars} characters of names and values`);
  }
}

function checkType(node: JsonObject, path: Path): void {
  const { type } = node;
  if (type === undefined) {
    const says = ["anyOf", "$ref", "enum", "const"].some((key) => node[key] !== undefined);
    refuseIf(!says, path, "must have a 'type'");
    return;
  }
  const types = Array.isArray(type) ? type : [type];
  const isKnown = types.length > 0 && types.every((name) => typeNames.includes(name));
  refuseIf(!isKnown, [...path, "type"], unknownType);
}

function checkRequired(required: unknown = [], names: readonly string[], path: Path): void {
  if (!Array.isArray(required)) throw new StrictSchemaFault(path, "must be a list of names");
  const missing = names.find((name) => !required.includes(name));
  refuseIf(missing !== undefined, path, `must list every property: '${missing}' is missing`);
  const extra = required.find((name) => !names.includes(name));
  refuseIf(extra !== undefined, path, `lists '${String(extra)}', which is no property`);
}

function hasType({ type }: JsonObject, name: string): boolean {
  return Array.isArray(type) ? type.includes(name) : type === name;
}

function countChars(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}

/** What a local `$ref` (`#`, `#/$defs/name`: a JSON pointer) points to; undefined for nothing. */
function resolveLocalRef(root: JsonObject, ref: string): unknown {
  const [start, ...steps] = decodeFragment(ref).split("/");
  if (start !== "") return undefined;
  let found: unknown = root;
  for (const step of steps) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function decodeFragment(ref: string): string {
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    // A stray percent sign: such a reference points nowhere, as does any that does not begin with a slash.
    return ref;
  }
}
