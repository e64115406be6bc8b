/** The request as the `Response` object repeats it. */
import type { JsonObject } from "../../../workers/contract/json.js";
import { taskClassOf } from "../requests/metadata.js";
import { isGiven } from "../requests/parameter-fate.js";
import type { TextFormat } from "../structured-output/text-format.js";
import type { Tool, ToolChoice, WebSearchDeclaration } from "../tools/tool-schemas.js";
import type { ResponsesRequest } from "./request-schema.js";

export interface RequestEcho {
  readonly background: boolean;
  readonly model: string | null;
  readonly instructions: string | null;
  readonly metadata: JsonObject;
  readonly maxOutputTokens: number | null;
  readonly maxToolCalls: number | null;
  readonly parallelToolCalls: boolean;
  readonly previousResponseId: string | null;
  readonly promptCacheKey: string | null;
  readonly promptCacheRetention: string | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: ReasoningSummary | null };
  readonly safetyIdentifier: string | null;
  readonly serviceTier: string;
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: { readonly format: EchoedFormat; readonly verbosity: "low" | "medium" | "high" };
  readonly toolChoice: ToolChoice;
  readonly tools: readonly EchoedTool[];
  readonly topLogprobs: number;
  readonly topP: number | null;
  readonly truncation: "auto" | "disabled";
  readonly user: string | null;
  readonly taskClass: string | null;
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
    model: body.model ?? null,
    instructions: body.instructions ?? null,
    metadata: body.metadata ?? {},
    maxOutputTokens: body.max_output_tokens ?? null,
    maxToolCalls: body.max_tool_calls ?? null,
    parallelToolCalls: body.parallel_tool_calls ?? true,
    previousResponseId: body.previous_response_id ?? null,
    promptCacheKey: body.prompt_cache_key ?? null,
    promptCacheRetention: body.prompt_cache_retention ?? null,
    reasoning: {
      effort: body.reasoning?.effort ?? null,
      summary: body.reasoning?.summary ?? body.reasoning?.generate_summary ?? null,
    },
    safetyIdentifier: body.safety_identifier ?? null,
    serviceTier: body.service_tier ?? "auto",
    store: body.store ?? true,
    temperature: body.temperature ?? null,
    text: { format: echoFormat(body.text?.format), verbosity: body.text?.verbosity ?? "medium" },
    toolChoice: body.tool_choice ?? "auto",
    tools: (body.tools ?? []).map(echoTool),
    topLogprobs: body.top_logprobs ?? 0,
    topP: body.top_p ?? null,
    truncation: body.truncation ?? "disabled",
    user: body.user ?? null,
    taskClass: taskClassOf(body.metadata),
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
