/** What the `Response` object says of its request: caps and labels as they were asked for, settings that change the answer as they were used. */
import { isGiven } from "../requests/fields.js";
import { usedTier } from "../requests/parameters.js";
import type { TextFormat } from "../structured-output/text-format.js";
import type {
  CustomToolDeclaration,
  FunctionToolDeclaration,
  Tool,
  ToolChoice,
  WebSearchDeclaration,
} from "../tools/tool-schemas.js";
import type { ResponsesRequest } from "./request-schema.js";
import type { EchoedTool, ResponseObject } from "./wire-response.js";

/** Fields of the `Response` object that come from its request. */
export type RequestEcho = Pick<
  ResponseObject,
  | "background"
  | "instructions"
  | "max_output_tokens"
  | "max_tool_calls"
  | "metadata"
  | "model"
  | "parallel_tool_calls"
  | "previous_response_id"
  | "prompt_cache_key"
  | "prompt_cache_retention"
  | "reasoning"
  | "safety_identifier"
  | "service_tier"
  | "store"
  | "text"
  | "tool_choice"
  | "tools"
  | "truncation"
  | "user"
>;

export function echoRequest(body: ResponsesRequest): RequestEcho {
  return {
    background: body.background ?? false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    model: body.model ?? "",
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    prompt_cache_retention: body.prompt_cache_retention ?? null,
    reasoning: {
      effort: body.reasoning?.effort ?? null,
      summary: body.reasoning?.summary ?? body.reasoning?.generate_summary ?? null,
    },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: usedTier(body.service_tier),
    store: body.store ?? true,
    text: { format: echoFormat(body.text?.format), verbosity: body.text?.verbosity ?? "medium" },
    tool_choice: echoChoice(body.tool_choice ?? "auto"),
    tools: (body.tools ?? []).map(echoTool),
    truncation: body.truncation ?? "disabled",
    // Only where the request named one.
    ...(isGiven(body.user) && { user: body.user }),
  };
}

/** Fields of the `Response` object that tell how the model sampled. */
type UsedSampling = Pick<
  ResponseObject,
  "frequency_penalty" | "presence_penalty" | "temperature" | "top_logprobs" | "top_p"
>;

/** As OpenAI tells it. Codex has a place for none of these, so that what a request asks for instead is listed as ignored. */
export function sayUsedSampling(model: string): UsedSampling {
  const generation = Number(/^(?:.*\/)?gpt-(\d{1,3})/.exec(model)?.[1] ?? 0);
  return {
    frequency_penalty: 0,
    presence_penalty: 0,
    temperature: 1,
    top_logprobs: 0,
    top_p: generation >= 5 ? topPSinceGpt5 : 1,
  };
}

export const topPSinceGpt5 = 0.98;

function echoFormat(format: TextFormat | null | undefined): ResponseObject["text"]["format"] {
  if (format?.type !== "json_schema") return { type: format?.type ?? "text" };
  const { type, name, schema, strict, description } = format;
  return {
    type,
    name,
    schema,
    strict: strict ?? false,
    description: description ?? null,
  };
}

function echoChoice(choice: ToolChoice): ResponseObject["tool_choice"] {
  if (typeof choice === "string" || choice.type !== "allowed_tools") return choice;
  return { ...choice, mode: choice.mode ?? "auto" };
}

/** OpenAI answers with every field of a tool, given or not. */
function echoTool(tool: Tool): EchoedTool {
  switch (tool.type) {
    case "function":
      return echoFunction(tool);
    case "custom":
      return echoCustom(tool);
    case "namespace": {
      const { type, name, description } = tool;
      const inner = tool.tools.map((entry) =>
        entry.type === "function" ? echoFunction(entry) : echoCustom(entry),
      );
      return { type, name, description: description ?? "", tools: inner };
    }
    case "shell":
      return { type: tool.type, environment: { type: "local" } };
    case "local_shell":
      return { type: tool.type };
    case "apply_patch":
      return { type: tool.type };
    case "tool_search":
      return { type: tool.type };
    default:
      return echoWebSearch(tool);
  }
}

function echoWebSearch(tool: WebSearchDeclaration): EchoedTool {
  const settings = {
    search_context_size: tool.search_context_size ?? "medium",
    user_location: echoLocation(tool),
  };
  const { type, filters } = tool;
  if (type === "web_search_preview" || type === "web_search_preview_2025_03_11") return { type, ...settings };
  return {
    type,
    ...settings,
    filters: isGiven(filters) ? { allowed_domains: filters.allowed_domains ?? null } : null,
  };
}

function echoFunction({ type, name, description, parameters, strict }: FunctionToolDeclaration) {
  return {
    type,
    name,
    description: description ?? null,
    parameters: parameters ?? null,
    strict: strict ?? true,
  };
}

function echoCustom({ type, name, description, format }: CustomToolDeclaration) {
  const grammar = format?.type === "grammar" ? format : null;
  return {
    type,
    name,
    description: description ?? "",
    format:
      grammar === null
        ? { type: "text" as const }
        : { type: grammar.type, syntax: grammar.syntax, definition: grammar.definition },
  };
}

function echoLocation({ user_location: place }: WebSearchDeclaration) {
  if (!isGiven(place)) return null;
  return {
    type: "approximate" as const,
    city: place.city ?? null,
    country: place.country ?? null,
    region: place.region ?? null,
    timezone: place.timezone ?? null,
  };
}
