/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import { inputItem } from "./input-items.js";
import { toRequestError } from "./schema-fault.js";

const flag = z.boolean().nullish();
const text = z.string().nullish();
const number = z.number().nullish();
const jsonObject = z.record(z.string(), z.unknown());

/** What the bridge lays beside OpenAI's string pairs: it may hold objects, and none of it is sent upstream. */
const codexbridge = z.looseObject({
  eventMetadata: jsonObject.optional(),
  threadMetadata: jsonObject.optional(),
  taskClass: z.string().min(1).max(64).optional(),
});

/** OpenAI's own bounds. */
const metadata = z
  .object({ codexbridge: z.union([codexbridge, z.string().max(512)]).optional() })
  .catchall(z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: "holds more than 16 keys" })
  .refine((pairs) => Object.keys(pairs).every((key) => key.length <= 64), {
    error: "has a key longer than 64 characters",
  });

const textFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: z.string().min(1),
    schema: jsonObject,
    strict: flag,
    description: text,
  }),
]);

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string().min(1),
  description: text,
  parameters: jsonObject.nullish(),
  strict: flag,
});

const summary = z.enum(["auto", "concise", "detailed"]).nullish();

const responsesBody = z.looseObject({
  input: z.union([z.string(), z.array(inputItem).min(1)]),
  instructions: text,
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_obfuscation: flag }).nullish(),
  store: flag,
  background: flag,
  previous_response_id: text,
  conversation: z.unknown().optional(),
  prompt: z.unknown().optional(),
  include: z.array(z.string()).nullish(),
  metadata: metadata.nullish(),
  reasoning: z
    .looseObject({ effort: z.string().min(1).max(64).nullish(), summary, generate_summary: summary })
    .nullish(),
  text: z
    .looseObject({ format: textFormat.nullish(), verbosity: z.enum(["low", "medium", "high"]).nullish() })
    .nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  tools: z.array(z.discriminatedUnion("type", [functionTool])).nullish(),
  tool_choice: z.union([z.enum(["none", "auto", "required"]), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: flag,
  // No native place, but echoed: so their types matter.
  max_output_tokens: number,
  max_tool_calls: number,
  temperature: number,
  top_p: number,
  top_logprobs: number,
  truncation: z.enum(["auto", "disabled"]).nullish(),
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_retention: text,
});

export type ResponsesRequest = z.infer<typeof responsesBody>;
export type FunctionToolDeclaration = z.infer<typeof functionTool>;

/** Every parameter the schema names; the rest of a body is unknown to us. */
export const knownParameters: ReadonlySet<string> = new Set(Object.keys(responsesBody.shape));

/**
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_responses_feature` for a type of item, content or tool that
 * has no mapping; `param` is the path of the field.
 */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  if (!isJsonObject(body)) {
    throw new CodexNativeApiError("invalid_request", "The request body must be a JSON object.");
  }
  const parsed = responsesBody.safeParse(body, { reportInput: true });
  if (!parsed.success) throw toRequestError(parsed.error, "unsupported_responses_feature");
  return parsed.data;
}
