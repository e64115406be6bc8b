/** The request as the `Response` object repeats it. */
import type { JsonObject } from "../../../workers/contract/json.js";
import { isGiven } from "../requests/fields.js";
import type { TextFormat } from "../structured-output/text-format.js";
import type { Tool, ToolChoice, WebSearchDeclaration } from "../tools/tool-schemas.js";
import type { ResponsesRequest } from "./request-schema.js";

/** Fields of the `Response` object that come from its request. */
export interface RequestEcho {
  readonly background: boolean;
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly metadata: JsonObject;
  readonly model: string;
  readonly parallel_tool_calls: boolean;
  readonly previous_response_id: string | null;
  readonly prompt_cache_key: string | null;
  readonly prompt_cache_retention: string | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: ReasoningSummary | null };
  readonly safety_identifier: string | null;
  readonly service_tier: string;
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: { readonly format: EchoedFormat; readonly verbosity: "low" | "medium" | "high" };
  readonly tool_choice: ToolChoice;
  readonly tools: readonly EchoedTool[];
  readonly top_logprobs: number;
  readonly top_p: number | null;
  readonly truncation: "auto" | "disabled";
  /** Only where the request named one. */
  readonly user?: string;
}

type ReasoningSummary = "auto" | "concise" | "detailed";

export type EchoedFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly name: string;
      readonly schema: JsonObject;
      readonly strict: boolean;
      readonly description?: string;
    };

/** OpenAI answers with every field of a tool, given or not. */
export type EchoedTool = EchoedFunction | EchoedWebSearch | EchoedWebSearchPreview;

export interface EchoedFunction {
  readonly type: "function";
  readonly name: string;
  readonly description: string | null;
  readonly parameters: JsonObject | null;
  readonly strict: boolean;
}

interface EchoedSearchSettings {
  readonly search_context_size: "low" | "medium" | "high";
  readonly user_location: EchoedLocation | null;
}

export interface EchoedWebSearch extends EchoedSearchSettings {
  readonly type: "web_search" | "web_search_2025_08_26";
  readonly filters: { readonly allowed_domains: readonly string[] | null } | null;
}

export interface EchoedWebSearchPreview extends EchoedSearchSettings {
  readonly type: "web_search_preview" | "web_search_preview_2025_03_11";
}

export interface EchoedLocation {
  readonly type: "approximate";
  readonly city: string | null;
  readonly country: string | null;
  readonly region: string | null;
  readonly timezone: string | null;
}

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
    service_tier: body.service_tier ?? "auto",
    store: body.store ?? true,
    temperature: body.temperature ?? null,
    text: { format: echoFormat(body.text?.format), verbosity: body.text?.verbosity ?? "medium" },
    tool_choice: body.tool_choice ?? "auto",
    tools: (body.tools ?? []).map(echoTool),
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? null,
    truncation: body.truncation ?? "disabled",
    ...(isGiven(body.user) && { user: body.user }),
  };
}

function echoFormat(format: TextFormat | null | undefined): EchoedFormat {
  if (format?.type !== "json_schema") return { type: format?.type ?? "text" };
  const { type, name, schema, strict, description } = format;
  return {
    type,
    name,
    schema,
    strict: strict ?? false,
    ...(typeof description === "string" && { description }),
  };
}

function echoTool(tool: Tool): EchoedTool {
  if (tool.type === "function") {
    return {
      type: tool.type,
      name: tool.name,
      description: tool.description ?? null,
      parameters: tool.parameters ?? null,
      strict: tool.strict ?? true,
    };
  }
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

function echoLocation({ user_location: place }: WebSearchDeclaration): EchoedLocation | null {
  if (!isGiven(place)) return null;
  return {
    type: "approximate",
    city: place.city ?? null,
    country: place.country ?? null,
    region: place.region ?? null,
    timezone: place.timezone ?? null,
  };
}
