/** What becomes of each parameter of `POST /v1/chat/completions`. A test holds the names against the official client's types. */
import { isGiven, type ParameterFate, unreadKeys } from "../requests/fields.js";
import type { ChatRequest } from "./request-schema.js";
import type { ChatTool } from "./tool-schemas.js";

export const parameterFates: Readonly<Record<string, ParameterFate>> = {
  audio: "refused",
  frequency_penalty: "ignored",
  function_call: "refused",
  functions: "refused",
  logit_bias: "ignored",
  logprobs: "ignored",
  max_completion_tokens: "ignored",
  max_tokens: "ignored",
  messages: "mapped",
  metadata: "mapped",
  modalities: "mapped",
  model: "mapped",
  moderation: "refused",
  n: "mapped",
  parallel_tool_calls: "mapped",
  priority: "mapped",
  prediction: "ignored",
  presence_penalty: "ignored",
  prompt_cache_key: "ignored",
  prompt_cache_options: "ignored",
  prompt_cache_retention: "ignored",
  reasoning_effort: "mapped",
  response_format: "mapped",
  safety_identifier: "ignored",
  seed: "ignored",
  service_tier: "mapped",
  stop: "ignored",
  store: "mapped",
  stream: "mapped",
  stream_options: "mapped",
  temperature: "ignored",
  tool_choice: "mapped",
  tools: "mapped",
  top_logprobs: "ignored",
  top_p: "ignored",
  user: "ignored",
  verbosity: "mapped",
  web_search_options: "mapped",
};

/** Why a parameter is refused. Those of the Responses API would be lost in silence: OpenAI refuses them here too. */
export const refusals: Readonly<Record<string, string>> = {
  audio: "audio is not supported",
  conversation: "conversations are not stored here: send the messages",
  function_call: "is deprecated and not supported: use 'tool_choice'",
  functions: "is deprecated and not supported: use 'tools'",
  input: "is a parameter of responses: here it is 'messages'",
  instructions: "is a parameter of responses: here it is a message of the role 'developer'",
  moderation: "moderation is not supported",
  previous_response_id: "is a parameter of responses: here the messages hold the history",
  prompt: "prompt templates are not stored here: send their text",
  text: "is a parameter of responses: here it is 'response_format' and 'verbosity'",
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

/** Whether leaving the parameter out loses nothing. */
function isIdle(name: string, value: unknown): boolean {
  if (!isGiven(value)) return true;
  if (name in idleValues) return idleValues[name] === value;
  return typeof value === "object" && value !== null && Object.values(value).length === 0;
}

/** Codex drops a tier that the model's catalog entry lacks; these are sent, or mean the ordinary one (0.169). */
const carriedTiers: ReadonlySet<string> = new Set(["auto", "default", "fast", "flex", "priority"]);

/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
export function listIgnoredParameters(body: ChatRequest): readonly string[] {
  const names = Object.entries(body)
    .filter(([name, value]) => !isIdle(name, value))
    .map(([name]) => name)
    .filter((name) => (parameterFates[name] ?? "ignored") === "ignored");
  if (isGiven(body.service_tier) && !carriedTiers.has(body.service_tier)) names.push("service_tier");
  if (body.stream_options?.include_obfuscation === true) names.push("stream_options.include_obfuscation");
  names.push(...unreadKeys("stream_options", body.stream_options, ["include_usage", "include_obfuscation"]));
  const searchKeys = ["search_context_size", "user_location"];
  names.push(...unreadKeys("web_search_options", body.web_search_options, searchKeys));
  names.push(...(body.tools ?? []).flatMap((tool, index) => listToolOptions(tool, `tools[${index}]`)));
  names.push(...body.messages.ignored);
  return names;
}

function listToolOptions({ function: declared, ...rest }: ChatTool, at: string): readonly string[] {
  // Codex asks for no function in the strict form.
  const strict = declared.strict === true ? [`${at}.function.strict`] : [];
  const read = ["name", "description", "parameters", "strict"];
  return [...strict, ...unreadKeys(at, rest, ["type"]), ...unreadKeys(`${at}.function`, declared, read)];
}
