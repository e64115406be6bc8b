/** A checked request body becomes a turn, plus what the answer repeats of the request. */
import type { JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";
import type { IsolatedTurnRequest } from "../../runtime/types.js";
import { listIgnoredParameters } from "./ignored-parameters.js";
import { toHistoryItem, userMessage } from "./input-items.js";
import type { FunctionToolDeclaration, ResponsesRequest } from "./request-schema.js";

/** Parameters without a native place: dropped and listed in `native_api.ignored_parameters`, or refused with 400. */
export type UnsupportedParameterPolicy = "ignore" | "reject";

export interface ResponsesTurn {
  readonly request: IsolatedTurnRequest;
  readonly stream: boolean;
  readonly echo: RequestEcho;
  readonly includeEncryptedReasoning: boolean;
  readonly ignoredParameters: readonly string[];
}

/** The request as the `Response` object repeats it. */
export interface RequestEcho {
  readonly model: string | null;
  readonly instructions: string | null;
  readonly metadata: JsonObject;
  readonly maxOutputTokens: number | null;
  readonly maxToolCalls: number | null;
  readonly parallelToolCalls: boolean;
  readonly promptCacheKey: string | null;
  readonly promptCacheRetention: string | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: ReasoningSummary | null };
  readonly safetyIdentifier: string | null;
  readonly serviceTier: string;
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: { readonly format: TextFormat; readonly verbosity: "low" | "medium" | "high" };
  readonly toolChoice: ToolChoice;
  readonly tools: readonly EchoedTool[];
  readonly topLogprobs: number;
  readonly topP: number | null;
  readonly truncation: "auto" | "disabled";
  readonly user: string | null;
  readonly taskClass: string | null;
}

/** OpenAI answers with every field of a tool, given or not. */
export interface EchoedTool {
  readonly type: "function";
  readonly name: string;
  readonly description: string | null;
  readonly parameters: JsonObject | null;
  readonly strict: boolean;
}

type ReasoningSummary = "auto" | "concise" | "detailed";
type TextFormat = NonNullable<NonNullable<ResponsesRequest["text"]>["format"]>;
type ToolChoice = NonNullable<ResponsesRequest["tool_choice"]>;

/**
 * @throws CodexNativeApiError `unsupported_responses_feature` for what would change the meaning if it were dropped, and for
 * any parameter without a native place under `reject`; `continuation_not_found` for a `previous_response_id`.
 */
export function toResponsesTurn(body: ResponsesRequest, policy: UnsupportedParameterPolicy): ResponsesTurn {
  refuseUnmapped(body);
  const ignoredParameters = listIgnoredParameters(body);
  const firstIgnored = ignoredParameters[0];
  if (policy === "reject" && firstIgnored !== undefined) {
    throw unsupported(
      firstIgnored,
      `Codex has no place for '${firstIgnored}', and this server is set to refuse it.`,
    );
  }
  const echo = echoRequest(body);
  return {
    request: toTurnRequest(body, echo),
    stream: body.stream === true,
    echo,
    includeEncryptedReasoning: body.include?.includes("reasoning.encrypted_content") === true,
    ignoredParameters,
  };
}

function refuseUnmapped(body: ResponsesRequest): void {
  if (body.background === true) throw unsupported("background", "Background responses are not supported.");
  if (isGiven(body.conversation)) throw unsupported("conversation", "Conversations are not supported.");
  if (isGiven(body.prompt)) throw unsupported("prompt", "Prompt templates are not supported.");
  if (body.text?.format?.type === "json_object") {
    throw unsupported("text.format.type", "JSON mode has no native form: use a format of type json_schema.");
  }
  refuseTools(body);
  if (typeof body.previous_response_id === "string") {
    throw new CodexNativeApiError(
      "continuation_not_found",
      `Previous response '${body.previous_response_id.slice(0, 64)}' was not found: this server keeps no responses.`,
      { param: "previous_response_id" },
    );
  }
}

/** Calls of the caller's functions need a turn that waits for their outputs, which the runtime cannot do yet. */
function refuseTools(body: ResponsesRequest): void {
  if ((body.tools ?? []).length > 0) throw unsupported("tools", "Function tools are not supported yet.");
  const choice = body.tool_choice ?? "auto";
  if (choice !== "auto" && choice !== "none") {
    throw unsupported(
      "tool_choice",
      "A tool_choice that demands a tool needs tools, which are not supported yet.",
    );
  }
}

function toTurnRequest(body: ResponsesRequest, echo: RequestEcho): IsolatedTurnRequest {
  const items = typeof body.input === "string" ? [userMessage(body.input)] : body.input.map(toHistoryItem);
  const format = body.text?.format;
  const serviceTier = nativeServiceTier(body.service_tier);
  return {
    items,
    ...(isGiven(body.model) && { model: body.model }),
    ...(isGiven(body.instructions) && { instructions: body.instructions }),
    ...(echo.reasoning.effort !== null && { effort: echo.reasoning.effort }),
    ...(echo.reasoning.summary !== null && { summary: echo.reasoning.summary }),
    ...(isGiven(body.text?.verbosity) && { verbosity: body.text.verbosity }),
    ...(serviceTier !== null && { serviceTier }),
    ...(format?.type === "json_schema" && { outputSchema: format.schema }),
    ...(echo.taskClass !== null && { taskClass: echo.taskClass }),
  };
}

/** `auto` and `default` both mean what happens when nothing is sent. */
function nativeServiceTier(tier: string | null | undefined): string | null {
  return !isGiven(tier) || tier === "auto" || tier === "default" ? null : tier;
}

function echoRequest(body: ResponsesRequest): RequestEcho {
  const bridge = body.metadata?.codexbridge;
  return {
    model: body.model ?? null,
    instructions: body.instructions ?? null,
    metadata: body.metadata ?? {},
    maxOutputTokens: body.max_output_tokens ?? null,
    maxToolCalls: body.max_tool_calls ?? null,
    parallelToolCalls: body.parallel_tool_calls ?? true,
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
    text: { format: body.text?.format ?? { type: "text" }, verbosity: body.text?.verbosity ?? "medium" },
    toolChoice: body.tool_choice ?? "auto",
    tools: (body.tools ?? []).map(echoTool),
    topLogprobs: body.top_logprobs ?? 0,
    topP: body.top_p ?? null,
    truncation: body.truncation ?? "disabled",
    user: body.user ?? null,
    taskClass: (typeof bridge === "object" ? bridge.taskClass : undefined) ?? null,
  };
}

function echoTool(tool: FunctionToolDeclaration): EchoedTool {
  return {
    type: "function",
    name: tool.name,
    description: tool.description ?? null,
    parameters: tool.parameters ?? null,
    strict: tool.strict ?? true,
  };
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

function unsupported(param: string, message: string): CodexNativeApiError {
  return new CodexNativeApiError("unsupported_responses_feature", message, { param });
}
