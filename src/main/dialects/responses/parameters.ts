/** What becomes of each parameter of `POST /v1/responses`. A test holds the names against the official client's types. */
import type { ParameterFate } from "../requests/parameter-fate.js";

export const parameterFates: Readonly<Record<string, ParameterFate>> = {
  background: "mapped",
  context_management: "ignored",
  conversation: "refused",
  include: "mapped",
  input: "mapped",
  instructions: "mapped",
  max_output_tokens: "ignored",
  max_tool_calls: "ignored",
  metadata: "mapped",
  model: "mapped",
  moderation: "refused",
  parallel_tool_calls: "mapped",
  priority: "mapped",
  previous_response_id: "mapped",
  prompt: "refused",
  prompt_cache_key: "ignored",
  prompt_cache_options: "ignored",
  prompt_cache_retention: "ignored",
  reasoning: "mapped",
  safety_identifier: "ignored",
  service_tier: "mapped",
  store: "mapped",
  stream: "mapped",
  stream_options: "mapped",
  temperature: "ignored",
  text: "mapped",
  tool_choice: "mapped",
  tools: "mapped",
  top_logprobs: "ignored",
  top_p: "ignored",
  truncation: "mapped",
  user: "ignored",
  // Of chat completions, with values that change nothing; others are refused.
  modalities: "mapped",
  n: "mapped",
};

/** Why a parameter is refused. Those of chat completions would be lost in silence: OpenAI refuses them here too. */
export const refusals: Readonly<Record<string, string>> = {
  audio: "audio is not supported",
  conversation: "conversations are not stored here: use previous_response_id, or send the items",
  function_call: "is a parameter of chat completions: here it is 'tool_choice'",
  functions: "is a parameter of chat completions: here it is 'tools'",
  messages: "is a parameter of chat completions: here it is 'input'",
  moderation: "moderation is not supported",
  prompt: "prompt templates are not stored here: send their text",
  response_format: "is a parameter of chat completions: here it is 'text.format'",
};

/** Values of placeless parameters that ask for what happens anyway. */
const idleValues: Readonly<Record<string, unknown>> = { temperature: 1, top_logprobs: 0, top_p: 1 };

export function isIdle(name: string, value: unknown): boolean {
  return (name in idleValues && idleValues[name] === value) || (Array.isArray(value) && value.length === 0);
}
