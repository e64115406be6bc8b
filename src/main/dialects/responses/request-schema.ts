/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { CodexNativeApiError } from "../../errors.js";
import { longText } from "../requests/long-text.js";
import { metadata } from "../requests/metadata.js";
import { isGiven } from "../requests/parameter-fate.js";
import { parseBody } from "../requests/parse-body.js";
import { requestLimits } from "../requests/request-limits.js";
import { textFormat } from "../structured-output/text-format.js";
import { toolChoice, tools } from "../tools/tool-schemas.js";
import { inputItem } from "./input-items.js";

const flag = z.boolean().nullish();
const text = z.string().nullish();
const number = z.number().nullish();

const summary = z.enum(["auto", "concise", "detailed"]).nullish();

/** Read by the OpenAPI document too. */
export const responsesBody = z.looseObject({
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
  const request = parseBody(responsesBody, body, "unsupported_responses_feature");
  refuseNoInput(request);
  return request;
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
