/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
import { knownParameters, type ResponsesRequest } from "./request-schema.js";

/** Official parameters without a native field. `truncation` is one only when it asks for something: see below. */
const placeless: ReadonlySet<string> = new Set([
  "max_output_tokens",
  "max_tool_calls",
  "temperature",
  "top_p",
  "top_logprobs",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
]);

/** Ask for output the model has no tool for here, so nothing is lost by them. */
const harmlessIncludes: ReadonlySet<string> = new Set([
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "web_search_call.results",
  "file_search_call.results",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "message.input_image.image_url",
]);

/** Null counts as not given, as with OpenAI. */
export function listIgnoredParameters(request: ResponsesRequest): readonly string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined || value === null) continue;
    if (placeless.has(name) || !knownParameters.has(name)) names.push(name);
  }
  // `disabled` asks for what happens anyway: too long a context is an error.
  if (request.truncation === "auto") names.push("truncation");
  if (request.stream_options?.include_obfuscation === true) names.push("stream_options.include_obfuscation");
  names.push(...unreadKeys("reasoning", request.reasoning, ["effort", "summary", "generate_summary"]));
  names.push(...unreadKeys("text", request.text, ["format", "verbosity"]));
  const format = request.text?.format;
  if (format?.type === "json_schema") {
    // Codex always asks for the strict form, under a name of its own.
    if (format.strict === false) names.push("text.format.strict");
    if (typeof format.description === "string") names.push("text.format.description");
  }
  for (const value of request.include ?? []) {
    if (!harmlessIncludes.has(value)) names.push(`include.${value.slice(0, 64)}`);
  }
  return names;
}

function unreadKeys(parent: string, value: object | null | undefined, read: readonly string[]): string[] {
  if (value === null || value === undefined) return [];
  return Object.entries(value)
    .filter(([key, entry]) => !read.includes(key) && entry !== undefined && entry !== null)
    .map(([key]) => `${parent}.${key}`);
}
