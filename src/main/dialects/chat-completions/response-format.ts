/** `response_format`, brought about as the Responses API's `text.format` is. */
import { z } from "zod";
import { requestLimits } from "../requests/request-limits.js";
import { formatPath } from "../requests/schema-fault.js";
import { findStrictFault } from "../structured-output/strict-schema.js";
import { type FormatMapping, mapTextFormat } from "../structured-output/text-format.js";
import { invalid } from "./request-error.js";

export const responseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: z
        .string()
        .min(1)
        .max(requestLimits.maxFormatNameChars)
        .regex(/^[a-zA-Z0-9_-]+$/),
      schema: z.record(z.string(), z.unknown()),
      strict: z.boolean().nullish(),
      description: z.string().nullish(),
    }),
  }),
]);

export type ResponseFormat = z.infer<typeof responseFormat>;

/** @throws CodexNativeApiError `invalid_request` for a schema that says it is strict and is not. */
export function mapResponseFormat(format: ResponseFormat | null | undefined): FormatMapping {
  if (format?.type !== "json_schema") return named(mapTextFormat(format));
  const { name, schema, strict, description } = format.json_schema;
  const fault = strict === true ? findStrictFault(schema) : null;
  if (fault !== null) {
    const param = formatPath(["response_format", "json_schema", "schema", ...fault.path]);
    throw invalid(
      param,
      `${fault.message}. A strict schema must keep to OpenAI's rules for Structured Outputs`,
    );
  }
  return named(mapTextFormat({ type: "json_schema", name, schema, strict, description }));
}

/** By the name that the parameter has here. */
function named(mapping: FormatMapping): FormatMapping {
  const obligations = mapping.obligations.map((obligation) => ({ ...obligation, param: "response_format" }));
  return { ...mapping, obligations };
}
