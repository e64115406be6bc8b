/** Answers checked by a schema library of the host's: whatever has `~standard` (standardschema.dev). */
import { findNotJson, isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { type OutputCheck, parseAnswer } from "./output-schema.js";
import { RouteFailure } from "./route-failure.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import type { SideTaskOutput, StandardIssue } from "./types.js";

const maxFaultsShown = 10;

/** What the model is asked for, and the check of its answer. @throws CodexNativeApiSideTaskError `bad_request` */
export function readTypedOutput(output: unknown): {
  readonly jsonSchema: JsonObject;
  readonly check: OutputCheck;
} {
  const isPair = isObject(output) && "schema" in output && !("~standard" in output);
  const schema = isPair ? output.schema : output;
  if (!isStandard(schema))
    throw badRequest(isPair ? "output.schema" : "output", "It must be a schema with `~standard`, version 1.");
  return {
    jsonSchema: isPair ? readPairSchema(output) : convert(schema),
    check: async (outputText) => {
      const { value, faults } = await validate(schema, parseAnswer(outputText));
      if (faults === null) return value;
      throw new RouteFailure("bad_output", {
        code: "schema_mismatch",
        message: `The answer does not match the schema: ${faults}`,
        outputText,
      });
    },
  };
}

type Standard = Extract<SideTaskOutput<unknown>, { readonly "~standard": unknown }>;

function isStandard(schema: unknown): schema is Standard {
  if (!isObject(schema)) return false;
  const standard = schema["~standard"];
  return isObject(standard) && standard.version === 1 && typeof standard.validate === "function";
}

/** Some libraries' schemas are functions. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function readPairSchema(pair: Readonly<Record<string, unknown>>): JsonObject {
  const { jsonSchema } = pair;
  if (isJsonObject(jsonSchema) && findNotJson(jsonSchema) === null) return jsonSchema;
  throw badRequest("output.jsonSchema", "It must be a JSON schema.");
}

/** The model writes what the schema takes in, so the input side counts. */
function convert(schema: Standard): JsonObject {
  const converter = schema["~standard"].jsonSchema;
  if (typeof converter?.input !== "function")
    throw badRequest("output", "The schema has no JSON schema of its own: give { schema, jsonSchema }.");
  try {
    // As it will be sent: converters may leave tools of their own on it.
    const converted: unknown = JSON.parse(JSON.stringify(converter.input({ target: "draft-2020-12" })));
    if (isJsonObject(converted)) return converted;
  } catch (error) {
    throw badRequest("output", "The schema cannot be written as JSON schema.", error);
  }
  throw badRequest("output", "The schema's JSON schema is not an object.");
}

/** `faults` is null where there are none. */
async function validate(
  schema: Standard,
  input: unknown,
): Promise<{ readonly value: unknown; readonly faults: string | null }> {
  try {
    const result = await schema["~standard"].validate(input);
    if (result.issues === undefined) return { value: result.value, faults: null };
    return { value: null, faults: describe(result.issues) };
  } catch (error) {
    const message = "The task's schema failed with an unexpected error.";
    throw new RouteFailure("bad_request", { code: "schema_failed", message, param: "output", cause: error });
  }
}

function describe(issues: readonly StandardIssue[]): string {
  const faults = issues.slice(0, maxFaultsShown).map(({ message, path = [] }) => {
    const keys = path.map((part) => (typeof part === "object" ? part.key : part));
    return `${keys.length === 0 ? "the whole" : `/${keys.map(String).join("/")}`}: ${message}`;
  });
  const more = issues.length - faults.length;
  return `${faults.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}

function badRequest(param: string, message: string, cause?: unknown): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param, cause });
}
