/**
 * A caller's function as Codex can carry it. Codex reduces the schema of parameters: keywords such as `format`, `minimum` or
 * `default` are dropped, a schema that says no type is given one, and over 5,000 bytes every description goes
 * (0.160, 0.169). So the schema is put into a form that survives the reduction without a change of meaning, and whatever
 * would still be lost goes into the function's description, which Codex leaves alone.
 */
import { customParameters, fixedTools } from "../../../workers/contract/client-tools.js";
import { isJsonObject, type JsonObject, measureJsonBytes } from "../../../workers/contract/json.js";
import type { FunctionTool, WebSearchOptions } from "../../runtime/types.js";
import type {
  ClientTool,
  CustomToolDeclaration,
  FunctionToolDeclaration,
  WebSearchDeclaration,
} from "./tool-schemas.js";

/** Largest schema that keeps its descriptions, with room for what Codex adds: 4,971 bytes kept them, 5,021 did not. */
const maxSchemaBytes = 4_800;

/** What Codex carries on. */
const carriedKeywords: ReadonlySet<string> = new Set([
  "$defs",
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "definitions",
  "description",
  "enum",
  "items",
  "minItems",
  "oneOf",
  "properties",
  "required",
  "type",
]);

/** What says nothing about a value that the model would need to know. */
const idleKeywords: ReadonlySet<string> = new Set([
  "$comment",
  "$id",
  "$schema",
  "deprecated",
  "discriminator",
  "readOnly",
  "title",
  "writeOnly",
]);

const noParameters: JsonObject = { type: "object", properties: {} };

/** A tool that the caller runs, as a function. */
export function toNativeTool({ kind, declaration, namespace }: ClientTool): FunctionTool {
  const named = namespace === null ? {} : { namespace };
  if (declaration?.type === "function") return { ...toNativeFunction(declaration), ...named };
  if (declaration !== null) return { ...toNativeCustom(declaration), ...named };
  const { description, parameters } = fixedTools[fixedKindOf(kind)];
  return { name: kind, description, parameters, kind };
}

function fixedKindOf(kind: ClientTool["kind"]): keyof typeof fixedTools {
  if (kind === "function" || kind === "custom") throw new Error(`A ${kind} is declared by its caller.`);
  return kind;
}

function toNativeCustom({ name, description, format }: CustomToolDeclaration): FunctionTool {
  const told = description ?? "";
  const tool = { name, parameters: customParameters, kind: "custom" as const };
  if (format?.type !== "grammar") return { ...tool, description: told };
  const { syntax, definition } = format;
  const exact = {
    type: "custom",
    name,
    description: told,
    format: { type: format.type, syntax, definition },
  };
  // For a Codex that the declaration does not pass.
  return {
    ...tool,
    description: `${told}\n\nThe input must obey this ${syntax} grammar:\n${definition}`,
    exact,
  };
}

function toNativeFunction(tool: FunctionToolDeclaration): FunctionTool {
  const given = tool.parameters ?? noParameters;
  const survey = new SchemaSurvey();
  const parameters = survey.settle(given);
  const isWhole = !survey.loses && isShort(parameters);
  const description = tool.description ?? "";
  return {
    name: tool.name,
    description: isWhole ? description : withSchema(description, given),
    parameters: asRoot(parameters),
  };
}

/** A schema of megabytes is not written out only to be measured. */
function isShort(parameters: JsonObject): boolean {
  if (measureJsonBytes(parameters) > maxSchemaBytes) return false;
  return Buffer.byteLength(JSON.stringify(parameters)) <= maxSchemaBytes;
}

function withSchema(description: string, schema: JsonObject): string {
  const head = description === "" ? "" : `${description}\n\n`;
  return `${head}JSON schema of the parameters, whole: ${JSON.stringify(schema)}`;
}

/** OpenAI takes parameters without a type for an object's. */
function asRoot(parameters: JsonObject): JsonObject {
  const isTyped = ["type", "$ref", "anyOf", "oneOf", "allOf"].some((key) => parameters[key] !== undefined);
  return isTyped ? parameters : { type: "object", properties: {}, ...parameters };
}

/** Settles what Codex would guess wrongly, and notes whether anything is lost all the same. */
class SchemaSurvey {
  loses = false;

  settle(schema: JsonObject): JsonObject {
    const settled: Record<string, unknown> = { ...schema };
    for (const [key, value] of Object.entries(schema)) {
      if (!carriedKeywords.has(key)) this.loses ||= !isIdle(key, value);
    }
    for (const key of ["properties", "$defs", "definitions"]) {
      const group = schema[key];
      if (isJsonObject(group)) {
        settled[key] = Object.fromEntries(
          Object.entries(group).map(([name, entry]) => [name, this.#child(entry)]),
        );
      }
    }
    for (const key of ["anyOf", "oneOf", "allOf"]) {
      const list = schema[key];
      if (Array.isArray(list)) settled[key] = list.map((entry) => this.#child(entry));
    }
    if (isJsonObject(schema.additionalProperties)) {
      settled.additionalProperties = this.settle(schema.additionalProperties);
    }
    this.#settleItems(schema, settled);
    settleValues(settled);
    this.loses ||= isUntyped(settled) && settled.description !== undefined;
    return settled;
  }

  /** `true` allows anything, as `{}` does; Codex would take it for text. */
  #child(schema: unknown): unknown {
    if (isJsonObject(schema)) return this.settle(schema);
    this.loses ||= schema !== true;
    return schema === true || schema === false ? {} : schema;
  }

  /** An array that says nothing of its entries holds anything; Codex would take them for text. */
  #settleItems(schema: JsonObject, settled: Record<string, unknown>): void {
    const { items, prefixItems, type } = schema;
    const isTuple = Array.isArray(prefixItems) || Array.isArray(items);
    if (isTuple) {
      this.loses = true;
      settled.items = {};
    } else if (items !== undefined) {
      settled.items = this.#child(items);
    } else if (type === "array" || (Array.isArray(type) && type.includes("array"))) {
      settled.items = {};
    }
  }
}

/** Codex takes values without a type for text, whatever they are. */
function settleValues(schema: Record<string, unknown>): void {
  if (schema.type !== undefined) return;
  const values = Array.isArray(schema.enum) ? schema.enum : schema.const === undefined ? [] : [schema.const];
  const types = [...new Set(values.map(typeOf))];
  if (types.length > 0) schema.type = types.length === 1 ? types[0] : types;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Codex drops the description of a schema that says nothing else. */
function isUntyped(schema: JsonObject): boolean {
  return Object.keys(schema).every((key) => key === "description" || !carriedKeywords.has(key));
}

function isIdle(key: string, value: unknown): boolean {
  if (idleKeywords.has(key) || key.startsWith("x-")) return true;
  // Bounds of whole numbers as such, which zod writes out for every integer.
  if (key === "minimum") return value === Number.MIN_SAFE_INTEGER;
  return key === "maximum" && value === Number.MAX_SAFE_INTEGER;
}

export function toWebSearchOptions(tool: WebSearchDeclaration): WebSearchOptions {
  const { user_location: place } = tool;
  const location = {
    country: place?.country ?? null,
    region: place?.region ?? null,
    city: place?.city ?? null,
    timezone: place?.timezone ?? null,
  };
  return {
    contextSize: tool.search_context_size ?? null,
    allowedDomains: tool.filters?.allowed_domains ?? null,
    location: Object.values(location).every((part) => part === null) ? null : location,
  };
}
