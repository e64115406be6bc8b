/** The body of `POST /v1/chat/completions`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import { metadata } from "../requests/metadata.js";
import { parseBody } from "../requests/parse-body.js";
import { messages } from "./message-schemas.js";
import { responseFormat } from "./response-format.js";
import { toolChoice, tools, webSearchOptions } from "./tool-schemas.js";

const flag = z.boolean().nullish();

/** Read by the OpenAPI document too. */
export const chatBody = z.looseObject({
  messages,
  model: z.string().min(1).nullish(),
  stream: flag,
  stream_options: z.looseObject({ include_usage: flag, include_obfuscation: flag }).nullish(),
  store: flag,
  metadata: metadata.nullish(),
  reasoning_effort: z.string().min(1).max(64).nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  service_tier: z.string().min(1).max(64).nullish(),
  response_format: responseFormat.nullish(),
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: flag,
  web_search_options: webSearchOptions.nullish(),
  n: z.int().min(1).nullish(),
  modalities: z.array(z.string()).nullish(),
});

export type ChatRequest = z.infer<typeof chatBody>;

/**
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_chat_completions_feature` for a role or a type of part, call or
 * tool that has no mapping; `param` is the path of the field.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  return parseBody(chatBody, body, "unsupported_chat_completions_feature");
}
