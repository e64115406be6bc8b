/** The body of `POST /v1/chat/completions`, checked at the edge. Keys we do not read pass through and are reported later. */
import { z } from "zod";
import type { Pace } from "../../../workers/contract/pace.js";
import { boundedList } from "../requests/bounded-list.js";
import type { JsonBody } from "../requests/json-body.js";
import { metadata } from "../requests/metadata.js";
import { parseBody, readElements } from "../requests/parse-body.js";
import { priority } from "../requests/priority.js";
import { requestLimits } from "../requests/request-limits.js";
import { messages } from "./message-schemas.js";
import { MessageReader, messageCheck, type ReadMessages } from "./read-messages.js";
import { invalid } from "./request-error.js";
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
  priority: priority.nullish(),
  web_search_options: webSearchOptions.nullish(),
  n: z.int().min(1).nullish(),
  modalities: boundedList(z.string(), requestLimits.maxModalities).nullish(),
});

/** The body but for its messages, which are checked one by one. */
const head = chatBody.extend({ messages: z.array(z.unknown()) });

/** For its type: a body whose messages were read. */
const read = chatBody.extend({ messages: z.custom<ReadMessages>() });

export type ChatRequest = z.infer<typeof read>;

/**
 * A body that a host composed. Works on without a pause.
 *
 * @throws CodexNativeApiError `invalid_request`, or `unsupported_chat_completions_feature` for a role or a type of part, call or
 * tool that has no mapping; `param` is the path of the field.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  const request = parseBody(head, body, messageCheck.unsupported);
  const reader = new MessageReader();
  for (const [index, value] of request.messages.entries()) reader.take(value, index);
  return withMessages(request, reader.finish());
}

/** A body that came over the wire, however long. Throws what `parseChatRequest` throws, and `invalid_json`. */
export async function readChatRequest(body: JsonBody, pace: Pace): Promise<ChatRequest> {
  const request = parseBody(head, body.value, messageCheck.unsupported);
  const reader = new MessageReader();
  await pace.breathe();
  await readElements(body, messageCheck.field, pace, (value, index) => reader.take(value, index));
  return withMessages(request, reader.finish());
}

function withMessages(request: z.infer<typeof head>, messages: ReadMessages): ChatRequest {
  if (messages.items.length === 0) throw invalid("messages", "holds no messages");
  return { ...request, messages };
}
