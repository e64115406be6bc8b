/** What becomes of each parameter of `POST /v1/chat/completions`. A test holds the names against the official client's types. */
import { isGiven } from "../requests/fields.js";
import {
  formatNote,
  ignored,
  listUnplaced,
  listUnplacedValues,
  mapped,
  type Parameters,
  refused,
  sharedParameters,
  unreadKeys,
} from "../requests/parameters.js";
import type { ChatRequest } from "./request-schema.js";
import type { ChatTool } from "./tool-schemas.js";

/** Those of the Responses API would be lost in silence: OpenAI refuses them here too. */
export const parameters: Parameters = {
  ...sharedParameters,
  audio: refused("audio is not supported"),
  conversation: refused("conversations are not stored here: send the messages"),
  frequency_penalty: ignored,
  function_call: refused("is deprecated and not supported: use 'tool_choice'"),
  functions: refused("is deprecated and not supported: use 'tools'"),
  input: refused("is a parameter of responses: here it is 'messages'"),
  instructions: refused("is a parameter of responses: here it is a message of the role 'developer'"),
  logit_bias: ignored,
  logprobs: ignored,
  max_completion_tokens: ignored,
  max_tokens: ignored,
  messages: mapped("The whole history, in order. Nothing is stored."),
  modalities: mapped('`["text"]`; `audio` is refused.'),
  n: mapped("So many choices, each by a turn of its own. If one fails, the request does."),
  prediction: ignored,
  presence_penalty: ignored,
  previous_response_id: refused("is a parameter of responses: here the messages hold the history"),
  prompt: refused("prompt templates are not stored here: send their text"),
  reasoning: mapped("`effort`, for clients that send it as responses do. `reasoning_effort` has precedence."),
  reasoning_effort: mapped("Passed on: models have their own."),
  response_format: mapped(formatNote),
  seed: ignored,
  stop: mapped("The answer ends before the first of these that is complete, and its turn is interrupted."),
  store: mapped("Accepted; no completion can be read back, whatever the value."),
  stream_options: mapped("`include_usage` adds a last chunk with the usage."),
  text: refused("is a parameter of responses: here it is 'response_format' and 'verbosity'"),
  tools: mapped("Functions of the caller's. The model has no other tools."),
  verbosity: mapped("Passed on."),
  web_search_options: mapped("Turns Codex's own web search on."),
};

/** Values of placeless parameters that ask for what happens anyway. */
const idleValues: Readonly<Record<string, unknown>> = {
  frequency_penalty: 0,
  logprobs: false,
  presence_penalty: 0,
  temperature: 1,
  top_logprobs: 0,
  top_p: 1,
};

function isIdle(name: string, value: unknown): boolean {
  if (name in idleValues) return idleValues[name] === value;
  return typeof value === "object" && value !== null && Object.values(value).length === 0;
}

/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
export function listIgnoredParameters(body: ChatRequest): readonly string[] {
  const searchKeys = ["search_context_size", "user_location"];
  return [
    ...listUnplaced(body, parameters, isIdle),
    ...listUnplacedValues(body),
    ...unreadKeys("reasoning", body.reasoning, isGiven(body.reasoning_effort) ? [] : ["effort"]),
    ...unreadKeys("stream_options", body.stream_options, ["include_usage", "include_obfuscation"]),
    ...unreadKeys("web_search_options", body.web_search_options, searchKeys),
    ...(body.tools ?? []).flatMap((tool, index) => listToolOptions(tool, `tools[${index}]`)),
    ...body.messages.ignored,
  ];
}

function listToolOptions({ type, ...rest }: ChatTool, at: string): readonly string[] {
  const { function: declared, custom, ...others } = { function: null, custom: null, ...rest };
  const read = ["name", "description", "parameters", "strict"];
  // Codex asks for no function in the strict form.
  const strict = declared?.strict === true ? [`${at}.function.strict`] : [];
  return [
    ...strict,
    ...unreadKeys(at, others, []),
    ...unreadKeys(`${at}.function`, declared, read),
    ...unreadKeys(`${at}.custom`, custom, ["name", "description", "format"]),
  ];
}
