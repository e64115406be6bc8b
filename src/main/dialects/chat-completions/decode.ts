/** A checked request body becomes a turn, plus what the answer needs of the request. */
import type { IsolatedTurnRequest } from "../../runtime/types.js";
import type { Decoding, DialectTurn } from "../dialect.js";
import {
  isGiven,
  nativeServiceTier,
  taskClassOf,
  type UnsupportedParameterPolicy,
} from "../requests/fields.js";
import type { JsonBody } from "../requests/parse-body.js";
import { formatPath } from "../requests/schema-fault.js";
import { developerMessage } from "../responses/input-items.js";
import { findStrictFault } from "../structured-output/strict-schema.js";
import { type FormatMapping, mapTextFormat } from "../structured-output/text-format.js";
import { toNativeTool, toWebSearchOptions } from "../tools/native-tool.js";
import { type OfferedTools, offerTools } from "../tools/tool-choice.js";
import type {
  ChosenTool,
  FunctionToolDeclaration,
  ToolChoice,
  WebSearchDeclaration,
} from "../tools/tool-schemas.js";
import { invalid, unsupported } from "./errors.js";
import { listIgnoredParameters, refusals } from "./parameters.js";
import { type ChatRequest, type ResponseFormat, readChatRequest } from "./request-schema.js";
import type { ChatTool, ChatToolChoice, ChatWebSearchOptions } from "./tool-schemas.js";

export interface ChatTurn extends DialectTurn {
  /** Whether a stream tells the usage, in a chunk of its own. */
  readonly includeUsage: boolean;
  /** As asked for; `auto` where nothing was. */
  readonly serviceTier: string;
}

export async function decodeChat(
  body: JsonBody,
  { pace, unsupportedParameters }: Decoding,
): Promise<ChatTurn> {
  const request = await readChatRequest(body, pace);
  await pace.breathe();
  return toChatTurn(request, unsupportedParameters);
}

/**
 * @throws CodexNativeApiError `unsupported_chat_completions_feature` for what would change the meaning if it were dropped, and
 * for any parameter without a native place under `reject`; `invalid_request` for what contradicts itself.
 */
export function toChatTurn(body: ChatRequest, policy: UnsupportedParameterPolicy): ChatTurn {
  refuseUnmapped(body);
  const ignoredParameters = listIgnoredParameters(body);
  const firstIgnored = ignoredParameters[0];
  if (policy === "reject" && firstIgnored !== undefined) {
    throw unsupported(firstIgnored, "Codex has no place for it, and this server is set to refuse it");
  }
  const format = mapResponseFormat(body.response_format);
  const tools = mapTools(body);
  const directives = [...tools.directives, format.directive].filter(isGiven).map(developerMessage);
  const taskClass = taskClassOf(body.metadata);
  return {
    request: {
      ...toSettings(body),
      ...(taskClass !== null && { taskClass }),
      ...(tools.functions.length > 0 && { tools: tools.functions.map(toNativeTool) }),
      ...(tools.webSearch !== null && { webSearch: toWebSearchOptions(tools.webSearch) }),
      ...(format.outputSchema !== null && { outputSchema: format.outputSchema }),
      items: body.messages.items,
      // No part of the conversation: they hold for this turn.
      ...(directives.length > 0 && { directives }),
    },
    obligations: [...tools.obligations, ...format.obligations],
    stream: body.stream === true,
    ...keptByCaller,
    includeUsage: body.stream_options?.include_usage === true,
    serviceTier: body.service_tier ?? "auto",
    metadata: body.metadata ?? null,
    taskClass,
    ignoredParameters,
  };
}

/** The messages are all there is: nothing is kept here, and their calls were paired while they were read. */
const keptByCaller = { store: false, background: false, previousResponseId: null, isPaired: true } as const;

function refuseUnmapped(body: ChatRequest): void {
  for (const [name, reason] of Object.entries(refusals)) {
    if (isGiven(body[name])) throw unsupported(name, reason);
  }
  if (isGiven(body.n) && body.n !== 1) throw unsupported("n", "one choice is given to a request");
  if (body.modalities?.some((modality) => modality !== "text") === true) {
    throw unsupported("modalities", "only text is put out");
  }
}

function toSettings(body: ChatRequest): Omit<IsolatedTurnRequest, "items"> {
  const serviceTier = nativeServiceTier(body.service_tier);
  return {
    ...(isGiven(body.model) && { model: body.model }),
    ...(isGiven(body.priority) && { priority: body.priority }),
    ...(isGiven(body.reasoning_effort) && { effort: body.reasoning_effort }),
    // Chat completions have no parameter for it, and clients that read `reasoning_content` no way to ask.
    summary: "auto",
    ...(isGiven(body.verbosity) && { verbosity: body.verbosity }),
    ...(serviceTier !== null && { serviceTier }),
  };
}

/** @throws CodexNativeApiError `invalid_request` for a schema that says it is strict and is not. */
function mapResponseFormat(format: ResponseFormat | null | undefined): FormatMapping {
  if (format?.type !== "json_schema") return named(mapTextFormat(format));
  const { name, schema, strict, description } = format.json_schema;
  const fault = strict === true ? findStrictFault(schema) : null;
  if (fault !== null) {
    const param = formatPath(["response_format", "json_schema", "schema", ...fault.path]);
    throw invalid(
      param,
      `${fault.message}. A strict schema must keep to OpenAI's rules for Structured Outputs`,
    );
  }
  return named(mapTextFormat({ type: "json_schema", name, schema, strict, description }));
}

/** By the name that the parameter has here. */
function named(mapping: FormatMapping): FormatMapping {
  const obligations = mapping.obligations.map((obligation) => ({ ...obligation, param: "response_format" }));
  return { ...mapping, obligations };
}

/** @throws CodexNativeApiError `invalid_request` for a choice of a tool that is not declared. */
/** Tools in the form of the Responses API, where what the model is offered is decided for both. */
function mapTools(body: ChatRequest): OfferedTools {
  const declared = body.tools ?? [];
  const offered = offerTools({
    tools: declared.map(toDeclaration),
    choice: toChoice(body.tool_choice ?? "auto", declared),
    parallelToolCalls: body.parallel_tool_calls ?? true,
  });
  // No tool here, so no choice among tools concerns it.
  const { web_search_options: options } = body;
  return { ...offered, webSearch: options === undefined || options === null ? null : toWebSearch(options) };
}

function toDeclaration({ function: declared }: ChatTool): FunctionToolDeclaration {
  const { name, description, parameters, strict } = declared;
  return { type: "function", name, description, parameters, strict };
}

function toChoice(choice: ChatToolChoice, tools: readonly ChatTool[]): ToolChoice {
  if (typeof choice === "string") return choice;
  if (choice.type === "function") {
    return toChosen(choice.function.name, tools, "tool_choice.function.name");
  }
  const { mode, tools: allowed } = choice.allowed_tools;
  return {
    type: "allowed_tools",
    mode,
    tools: allowed.map((entry, index) =>
      toChosen(entry.function.name, tools, `tool_choice.allowed_tools.tools[${index}].function.name`),
    ),
  };
}

function toChosen(name: string, tools: readonly ChatTool[], param: string): ChosenTool {
  if (!tools.some((tool) => tool.function.name === name)) {
    throw invalid(param, `'${name.slice(0, 64)}' is not among 'tools'`);
  }
  return { type: "function", name };
}

function toWebSearch(options: ChatWebSearchOptions): WebSearchDeclaration {
  return {
    type: "web_search",
    search_context_size: options.search_context_size,
    user_location: options.user_location?.approximate,
  };
}
