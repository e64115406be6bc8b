/** What becomes of each parameter of `POST /v1/responses`. A test holds the names against the official client's types. */
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
import { isBridgeTask } from "../requests/turn-request.js";
import { isWebSearchTool, type Tool } from "../tools/tool-schemas.js";
import { topPSinceGpt5 } from "./request-echo.js";
import type { ResponsesRequest } from "./request-schema.js";

/** Those of chat completions would be lost in silence: OpenAI refuses them here too. */
export const parameters: Parameters = {
  ...sharedParameters,
  audio: refused("audio is not supported"),
  background: mapped(
    'Answers at once with `status: "queued"`; read the response later, or attach to its stream. Needs `store`.',
  ),
  context_management: ignored,
  conversation: refused("conversations are not stored here: use previous_response_id, or send the items"),
  frequency_penalty: ignored,
  function_call: refused("is a parameter of chat completions: here it is 'tool_choice'"),
  functions: refused("is a parameter of chat completions: here it is 'tools'"),
  include: mapped("`reasoning.encrypted_content` is honoured; other values have no effect."),
  input: mapped("A text, or items. May be left out with `previous_response_id`."),
  instructions: mapped("Base instructions of the turn. Not taken over from the response before."),
  max_output_tokens: ignored,
  max_tool_calls: mapped(
    "Of web searches, the only built-in tool: an instruction to the model. `native_api.ignored_parameters` lists it where there were more.",
  ),
  messages: refused("is a parameter of chat completions: here it is 'input'"),
  modalities: mapped('`["text"]`; anything else is refused.'),
  n: mapped("1; more is refused."),
  presence_penalty: ignored,
  previous_response_id: mapped("A stored response to continue. Any number of responses may follow one."),
  prompt: refused("prompt templates are not stored here: send their text"),
  reasoning: mapped(
    "`effort` is passed on; `summary`, or its older name `generate_summary`, asks for a summary.",
  ),
  response_format: refused("is a parameter of chat completions: here it is 'text.format'"),
  store: mapped("Default true: kept in memory until it expires. False: cannot be read or continued."),
  stream_options: mapped("`include_obfuscation` has no effect."),
  text: mapped(`\`format\`: ${formatNote}`),
  tools: mapped("Functions of the caller's, and Codex's web search. The model has no other tools."),
  truncation: mapped("`auto` has no effect."),
};

/** Values of placeless parameters that ask for what happens anyway. */
const idleValues: Readonly<Record<string, readonly unknown[]>> = {
  frequency_penalty: [0],
  presence_penalty: [0],
  temperature: [1],
  top_logprobs: [0],
  // OpenAI's default, and what answers say: it may be sent back.
  top_p: [1, topPSinceGpt5],
};

function isIdle(name: string, value: unknown): boolean {
  return idleValues[name]?.includes(value) ?? (Array.isArray(value) && value.length === 0);
}

export const encryptedReasoning = "reasoning.encrypted_content";

/** Met, or about tools that are refused, so that nothing is lost by them. */
const harmlessIncludes: ReadonlySet<string> = new Set([
  encryptedReasoning,
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

/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
export function listIgnoredParameters(request: ResponsesRequest): readonly string[] {
  const { tools = null, input, truncation, include } = request;
  const reasoning = withoutIdle(request.reasoning, { context: "auto", mode: "standard" });
  return [
    ...listUnplaced(request, parameters, isIdle),
    // `disabled` asks for what happens anyway: too long a context is an error.
    ...(truncation === "auto" ? ["truncation"] : []),
    ...listUnplacedValues(request),
    // A chat bridge is given no reasoning.
    ...(isBridgeTask(request) && include?.includes(encryptedReasoning) === true
      ? [`include.${encryptedReasoning}`]
      : []),
    ...unreadKeys("reasoning", reasoning, ["effort", "summary", "generate_summary"]),
    ...unreadKeys("text", request.text, ["format", "verbosity"]),
    ...listIncludes(request, tools?.some(isWebSearchTool) === true),
    ...(tools ?? []).flatMap((tool, index) => listToolOptions(tool, `tools[${index}]`)),
    ...(typeof input === "object" && input !== null ? input.ignored : []),
  ];
}

function listIncludes({ include }: ResponsesRequest, hasWebSearch: boolean): readonly string[] {
  return [...new Set(include ?? [])]
    .filter((value) => !harmlessIncludes.has(value) && (hasWebSearch || !webSearchIncludes.has(value)))
    .map((value) => `include.${value.slice(0, 64)}`);
}

function listToolOptions(tool: Tool, at: string): readonly string[] {
  if (tool.type === "tool_search") return [at];
  if (tool.type === "namespace") {
    const inner = tool.tools.flatMap((entry, index) => listToolOptions(entry, `${at}.tools[${index}]`));
    return [...unreadKeys(at, tool, ["type", "name", "description", "tools"]), ...inner];
  }
  if (tool.type === "custom") {
    const options = withoutIdle(tool, { defer_loading: false });
    return unreadKeys(at, options, ["type", "name", "description", "format"]);
  }
  if (isWebSearchTool(tool)) {
    const { filters, search_content_types: _both, ...rest } = tool;
    return [...unreadKeys(at, rest, ["type"]), ...unreadKeys(`${at}.filters`, filters, [])];
  }
  if (tool.type !== "function") return unreadKeys(at, tool, ["type", "environment"]);
  // Codex asks for no function in the strict form.
  const strict = tool.strict === true ? [`${at}.strict`] : [];
  const options = withoutIdle(tool, { defer_loading: false });
  return [...strict, ...unreadKeys(at, options, ["type", "name", "description", "parameters", "strict"])];
}

function withoutIdle(value: object | null | undefined, idle: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([key, entry]) => entry !== idle[key]));
}
