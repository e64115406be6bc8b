/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
import { isGiven } from "../requests/parameter-fate.js";
import { isWebSearchTool, type Tool } from "../tools/tool-schemas.js";
import { isIdle, parameterFates } from "./parameters.js";
import type { ResponsesRequest } from "./request-schema.js";

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

function unreadKeys(parent: string, value: object | null | undefined, read: readonly string[]): string[] {
  if (!isGiven(value)) return [];
  return Object.entries(value)
    .filter(([key, entry]) => !read.includes(key) && isGiven(entry))
    .map(([key]) => `${parent}.${key}`);
}
