/** What becomes of each parameter of `POST /v1/responses`. A test holds the names against the official client's types. */
import { isGiven, type ParameterFate, unreadKeys } from "../requests/fields.js";
import { isWebSearchTool, type Tool } from "../tools/tool-schemas.js";
import type { ResponsesRequest } from "./request-schema.js";

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

function isIdle(name: string, value: unknown): boolean {
  return (name in idleValues && idleValues[name] === value) || (Array.isArray(value) && value.length === 0);
}

/** Met, or about tools that are refused, so that nothing is lost by them. */
const harmlessIncludes: ReadonlySet<string> = new Set([
  "reasoning.encrypted_content",
  "file_search_call.results",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "message.input_image.image_url",
]);

/** Codex asks the backend for neither, so they matter only when web search is on. */
const webSearchIncludes: ReadonlySet<string> = new Set([
  "web_search_call.action.sources",
  "web_search_call.results",
]);

/** Codex drops a tier that the model's catalog entry lacks; these are sent, or mean the ordinary one (0.169). */
const carriedTiers: ReadonlySet<string> = new Set(["auto", "default", "fast", "flex", "priority"]);

/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
export function listIgnoredParameters(request: ResponsesRequest): readonly string[] {
  const names = Object.entries(request)
    .filter(([name, value]) => isGiven(value) && !isIdle(name, value))
    .map(([name]) => name)
    .filter((name) => (parameterFates[name] ?? "ignored") === "ignored");
  // `disabled` asks for what happens anyway: too long a context is an error.
  if (request.truncation === "auto") names.push("truncation");
  if (isGiven(request.service_tier) && !carriedTiers.has(request.service_tier)) names.push("service_tier");
  if (request.stream_options?.include_obfuscation === true) names.push("stream_options.include_obfuscation");
  const reasoning = withoutIdle(request.reasoning, { context: "auto", mode: "standard" });
  names.push(...unreadKeys("reasoning", reasoning, ["effort", "summary", "generate_summary"]));
  names.push(...unreadKeys("text", request.text, ["format", "verbosity"]));
  const { tools } = request;
  names.push(...listIncludes(request, tools?.some(isWebSearchTool) === true));
  names.push(...(tools ?? []).flatMap((tool, index) => listToolOptions(tool, `tools[${index}]`)));
  if (typeof request.input === "object" && request.input !== null) names.push(...request.input.ignored);
  return names;
}

function listIncludes({ include }: ResponsesRequest, hasWebSearch: boolean): readonly string[] {
  return [...new Set(include ?? [])]
    .filter((value) => !harmlessIncludes.has(value) && (hasWebSearch || !webSearchIncludes.has(value)))
    .map((value) => `include.${value.slice(0, 64)}`);
}

function listToolOptions(tool: Tool, at: string): readonly string[] {
  if (tool.type !== "function") {
    const { filters, search_content_types: _both, ...rest } = tool;
    return [...unreadKeys(at, rest, ["type"]), ...unreadKeys(`${at}.filters`, filters, [])];
  }
  // Codex asks for no function in the strict form.
  const strict = tool.strict === true ? [`${at}.strict`] : [];
  const options = withoutIdle(tool, { defer_loading: false });
  return [...strict, ...unreadKeys(at, options, ["type", "name", "description", "parameters", "strict"])];
}

function withoutIdle(value: object | null | undefined, idle: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([key, entry]) => entry !== idle[key]));
}
