/** `text.format`: native where Codex can enforce it, else words to the model and a check of what it answered. */
import { z } from "zod";
import type { JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { Obligation } from "../answers/obligations.js";
import { requestLimits } from "../requests/fields.js";
import { formatPath } from "../requests/schema-fault.js";
import { findStrictFault, type SchemaFault } from "./strict-schema.js";

const namePattern = /^[a-zA-Z0-9_-]+$/;

export const textFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: z.string().min(1).max(requestLimits.maxFormatNameChars).regex(namePattern),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
    description: z.string().nullish(),
  }),
]);

export type TextFormat = z.infer<typeof textFormat>;

/** How a format is brought about. */
export interface FormatMapping {
  readonly outputSchema: JsonObject | null;
  /** What the model is told instead of an output schema. */
  readonly directive: string | null;
  readonly obligations: readonly Obligation[];
}

const plain: FormatMapping = { outputSchema: null, directive: null, obligations: [] };

const jsonOnly = "no other text before or after it, and no code fence";

/** @throws CodexNativeApiError `invalid_request` for a schema that says it is strict and is not. */
export function mapTextFormat(format: TextFormat | null | undefined): FormatMapping {
  if (format === undefined || format === null || format.type === "text") return plain;
  if (format.type === "json_object") {
    return askInWords(`Your final answer must be a single JSON object: ${jsonOnly}.`, true);
  }
  const fault = findStrictFault(format.schema);
  if (fault === null) return { ...plain, outputSchema: describeSchema(format.schema, format.description) };
  if (format.strict === true) throw strictError(fault);
  const purpose = isText(format.description) ? ` What it is for: ${format.description}` : "";
  const schema = JSON.stringify(format.schema);
  return askInWords(
    `Your final answer must be a single JSON value that is valid by this JSON schema: ${jsonOnly}.${purpose}\n${schema}`,
    false,
  );
}

/** Codex names the format itself and has no place for its description, but the schema has one. */
function describeSchema(schema: JsonObject, description: string | null | undefined): JsonObject {
  if (!isText(description)) return schema;
  const own = isText(schema.description) ? `\n\n${schema.description}` : "";
  return { ...schema, description: `${description}${own}` };
}

function askInWords(directive: string, objectOnly: boolean): FormatMapping {
  return {
    outputSchema: null,
    directive,
    obligations: [{ kind: "json_answer", param: "text.format", objectOnly }],
  };
}

function strictError({ path, message }: SchemaFault): CodexNativeApiError {
  const param = formatPath(["text", "format", "schema", ...path]);
  const text = `'${param}' ${message}. A strict schema must keep to OpenAI's rules for Structured Outputs.`;
  return new CodexNativeApiError("invalid_request", text, { param });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
