/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { isJsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import { longText } from "./content-parts.js";
import { inputItem } from "./input-items.js";
import { refuseDeepNesting } from "./nesting.js";
import { isGiven } from "./parameters.js";
import { requestLimits } from "./request-limits.js";
import { toRequestError } from "./schema-fault.js";
import { textFormat } from "./text-format.js";
import { toolChoice, tools } from "./tool-schemas.js";

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

const summary = z.enum(["auto", "concise", "detailed"]).nullish();

const responsesBody = z.looseObject({
  input: z.union([longText, z.array(inputItem)]).nullish(),
  instructions: longText.nullish(),
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_obfuscation: flag }).nullish(),
  store: flag,
  background: flag,
  previous_response_id: z.string().min(1).nullish(),
  include: z.array(z.string()).max(requestLimits.maxIncludes).nullish(),
  metadata: metadata.nullish(),
  reasoning: z
    .looseObject({ effort: z.string().min(1).max(64).nullish(), summary, generate_summary: summary })
    .nullish(),
  text: z
    .looseObject({ format: textFormat.nullish(), verbosity: z.enum(["low", "medium", "high"]).nullish() })
    .nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
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

/**
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_responses_feature` for a type of item, content or tool that
 * has no mapping; `param` is the path of the field.
 */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  if (!isJsonObject(body)) {
    throw new CodexNativeApiError("invalid_request", "The request body must be a JSON object.");
  }
  refuseDeepNesting(body);
  const parsed = responsesBody.safeParse(body, { reportInput: true });
  if (!parsed.success) throw toRequestError(parsed.error, "unsupported_responses_feature");
  refuseNoInput(parsed.data);
  return parsed.data;
}

/** A response that continues another may have nothing to add. */
function refuseNoInput({ input, previous_response_id: previous }: ResponsesRequest): void {
  if (isGiven(previous)) return;
  if (!isGiven(input)) throw inputFault("'input' is missing.");
  if (input.length === 0 && typeof input !== "string") throw inputFault("'input' holds no items.");
}

function inputFault(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message, { param: "input" });
}
