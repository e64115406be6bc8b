/** The format of an answer: an output schema where Codex can enforce it, else an instruction to the model and a check of its answer. */

import { z } from "zod";
import type { JsonObject } from "../../../workers/contract/json.js";
import { formatPath } from "../../../workers/contract/json.js";
import type { Obligation } from "../answers/obligations.js";
import { isGiven, requestLimits } from "../requests/fields.js";
import { fieldError } from "../requests/schema-fault.js";
import { findStrictFault } from "./strict-schema.js";

/** What a format by schema has, in every dialect. */
export const schemaFormatFields = {
  name: z
    .string()
    .min(1)
    .max(requestLimits.maxFormatNameChars)
    .regex(/^[a-zA-Z0-9_-]+$/),
  schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
  description: z.string().nullish(),
};

export const textFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({ type: z.literal("json_schema"), ...schemaFormatFields }),
]);

export type TextFormat = z.infer<typeof textFormat>;

/** How a turn gets the format. */
export interface FormatMapping {
  readonly outputSchema: JsonObject | null;
  /** The instruction that replaces an output schema. */
  readonly directive: string | null;
  readonly obligations: readonly Obligation[];
}

const plain: FormatMapping = { outputSchema: null, directive: null, obligations: [] };

const jsonOnly = "no other text before or after it, and no code fence";

/** Where a dialect has the format, and in it the schema. */
export interface FormatPlace {
  readonly param: string;
  readonly schemaPath: readonly string[];
}

/** @throws CodexNativeApiError `invalid_request` for a schema that says it is strict and is not. */
export function mapTextFormat(
  format: TextFormat | null | undefined,
  { param, schemaPath }: FormatPlace,
): FormatMapping {
  const askInWords = (directive: string, objectOnly: boolean): FormatMapping => ({
    outputSchema: null,
    directive,
    obligations: [{ kind: "json_answer", param, objectOnly }],
  });
  if (!isGiven(format) || format.type === "text") return plain;
  if (format.type === "json_object") {
    return askInWords(`Your final answer must be a single JSON object: ${jsonOnly}.`, true);
  }
  const fault = findStrictFault(format.schema);
  if (fault === null) return { ...plain, outputSchema: describeSchema(format.schema, format.description) };
  if (format.strict === true) {
    const message = `${fault.message}. A strict schema must keep to OpenAI's rules for Structured Outputs`;
    throw fieldError(formatPath([...schemaPath, ...fault.path]), message);
  }
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

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
