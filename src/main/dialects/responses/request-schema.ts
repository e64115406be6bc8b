/** The body of `POST /v1/responses`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { findTooDeep } from "../../../workers/contract/json-depth.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { CodexNativeApiError } from "../../errors.js";
import { boundedList } from "../requests/bounded-list.js";
import type { JsonBody } from "../requests/json-body.js";
import { longText } from "../requests/long-text.js";
import { metadata } from "../requests/metadata.js";
import { isGiven } from "../requests/parameter-fate.js";
import { parseBody, readElements } from "../requests/parse-body.js";
import { priority } from "../requests/priority.js";
import { maxBodyLevels, requestLimits } from "../requests/request-limits.js";
import { formatPath } from "../requests/schema-fault.js";
import { textFormat } from "../structured-output/text-format.js";
import { toolChoice, tools } from "../tools/tool-schemas.js";
import { inputItem } from "./input-items.js";
import { InputReader, itemCheck, type ReadInput } from "./read-input.js";

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
  include: boundedList(z.string(), requestLimits.maxIncludes).nullish(),
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
  priority: priority.nullish(),
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

/** The body but for its items, which are checked one by one. */
const head = responsesBody.extend({ input: z.union([longText, z.array(z.unknown())]).nullish() });

type Head = z.infer<typeof head>;

/** For its type: a body whose items were read. */
const read = responsesBody.extend({ input: z.custom<string | ReadInput>().nullish() });

export type ResponsesRequest = z.infer<typeof read>;

/**
 * A body that a host composed. Works on without a pause.
 *
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_responses_feature` for a type of item, content or tool that
 * has no mapping; `param` is the path of the field.
 */
export function parseResponsesRequest(body: unknown): ResponsesRequest {
  refuseDeepNesting(body);
  const request = parseBody(head, body, itemCheck.unsupported);
  const { input } = request;
  if (!Array.isArray(input)) return withInput(request, input);
  const reader = new InputReader(isGiven(request.previous_response_id));
  for (const [index, value] of input.entries()) reader.take(value, index);
  return withInput(request, reader.finish());
}

/** A body that came over the wire, however long. Throws what `parseResponsesRequest` throws, and `invalid_json`. */
export async function readResponsesRequest(body: JsonBody, pace: Pace): Promise<ResponsesRequest> {
  const request = parseBody(head, body.value, itemCheck.unsupported);
  const { input } = request;
  if (!Array.isArray(input)) return withInput(request, input);
  const reader = new InputReader(isGiven(request.previous_response_id));
  await pace.breathe();
  await readElements(body, itemCheck.field, pace, (value, index) => reader.take(value, index));
  return withInput(request, reader.finish());
}

/** A response that continues another may have nothing to add. */
function withInput(request: Head, input: ResponsesRequest["input"]): ResponsesRequest {
  if (!isGiven(request.previous_response_id)) {
    if (!isGiven(input)) throw inputFault("'input' is missing.");
    if (typeof input !== "string" && input.items.length === 0) throw inputFault("'input' holds no items.");
  }
  return { ...request, input };
}

function refuseDeepNesting(body: unknown): void {
  const path = findTooDeep(body, maxBodyLevels);
  if (path === null) return;
  throw new CodexNativeApiError(
    "invalid_request",
    `The request body is nested deeper than ${maxBodyLevels} levels.`,
    { param: formatPath(path) },
  );
}

function inputFault(message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message, { param: "input" });
}
