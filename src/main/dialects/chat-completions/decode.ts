/** A checked request body becomes a turn, plus what the answer needs of the request. */
import type { Decoding, DialectTurn } from "../dialect.js";
import { isGiven } from "../requests/fields.js";
import { refuseParameters, rejectIgnored } from "../requests/parameters.js";
import type { JsonBody } from "../requests/parse-body.js";
import { fieldError } from "../requests/schema-fault.js";
import {
  listBridgeSurroundings,
  readBridgeTask,
  toCapabilities,
  toSettings,
} from "../requests/turn-request.js";
import { mapTextFormat } from "../structured-output/text-format.js";
import { type OfferedTools, offerTools, settleTools } from "../tools/tool-choice.js";
import type {
  ChosenTool,
  CustomToolDeclaration,
  FunctionToolDeclaration,
  ToolChoice,
  WebSearchDeclaration,
} from "../tools/tool-schemas.js";
import { unsupported } from "./errors.js";
import { listIgnoredParameters, parameters } from "./parameters.js";
import { type ChatRequest, readChatRequest } from "./request-schema.js";
import type { ChatChosenTool, ChatTool, ChatToolChoice, ChatWebSearchOptions } from "./tool-schemas.js";

export interface ChatTurn extends DialectTurn {
  readonly choices: number;
  /** Whether a stream ends with a chunk that holds the usage. */
  readonly includeUsage: boolean;
  /** Sequences before the first of which the answer ends. */
  readonly stops: readonly string[];
}

export async function decodeChat(
  body: JsonBody,
  { pace, unsupportedParameters }: Decoding,
): Promise<ChatTurn> {
  const request = await readChatRequest(body, pace);
  await pace.breathe();
  return toChatTurn(request, unsupportedParameters);
}

const formatPlace = { param: "response_format", schemaPath: ["response_format", "json_schema", "schema"] };

/**
 * @throws CodexNativeApiError `unsupported_chat_completions_feature` for what would change the meaning if it were dropped, and
 * for any parameter without a native place under `reject`; `invalid_request` for what contradicts itself.
 */
export function toChatTurn(body: ChatRequest, policy: Decoding["unsupportedParameters"]): ChatTurn {
  refuseParameters(body, parameters, unsupported);
  const ignoredParameters = listIgnoredParameters(body);
  rejectIgnored(ignoredParameters, policy, unsupported);
  const { response_format: asked } = body;
  const flat = asked?.type === "json_schema" ? { ...asked.json_schema, type: asked.type } : asked;
  const format = mapTextFormat(flat, formatPlace);
  const capabilities = toCapabilities(mapTools(body), format);
  const settings = toSettings(body);
  const effort = body.reasoning_effort ?? body.reasoning?.effort;
  return {
    request: {
      ...settings,
      ...(isGiven(effort) && { effort }),
      // Chat completions have no parameter for it, and clients that read `reasoning_content` no way to ask.
      summary: "auto",
      ...capabilities.request,
      items: body.messages.items,
    },
    obligations: capabilities.obligations,
    bridgeTask: readBridgeTask(body, body.tool_choice),
    stream: body.stream === true,
    // The messages are all there is: nothing is kept here, and their calls were paired while they were read.
    store: false,
    background: false,
    previousResponseId: null,
    choices: body.n ?? 1,
    isPaired: true,
    offerWith: null,
    includeUsage: body.stream_options?.include_usage === true,
    stops: typeof body.stop === "string" ? [body.stop] : (body.stop ?? []),
    metadata: body.metadata ?? null,
    taskClass: settings.taskClass ?? null,
    ignoredParameters: [...ignoredParameters, ...listBridgeSurroundings(body)],
  };
}

/**
 * Tools in the form of the Responses API, which decides for both dialects what the model is offered.
 *
 * @throws CodexNativeApiError `invalid_request` for a choice of a tool that is not declared.
 */
function mapTools(body: ChatRequest): OfferedTools {
  const declared = body.tools ?? [];
  const { web_search_options: options } = body;
  const search = isGiven(options) ? toWebSearch(options) : null;
  const { tools, choice } = settleTools(
    declared.map(toDeclaration),
    toChoice(body.tool_choice ?? "auto", declared),
  );
  const offered = offerTools({ tools, choice, parallelToolCalls: body.parallel_tool_calls ?? true });
  // Its options are no tool here, so no choice among tools concerns it.
  return { ...offered, webSearch: search ?? offered.webSearch };
}

function toDeclaration(tool: ChatTool): FunctionToolDeclaration | CustomToolDeclaration {
  if (tool.type === "function") {
    const { name, description, parameters, strict } = tool.function;
    return { type: "function", name, description, parameters, strict };
  }
  const { name, description, format } = tool.custom;
  const grammar = format?.type === "grammar" ? { ...format.grammar, type: format.type } : null;
  return { type: "custom", name, description, format: grammar };
}

function toChoice(choice: ChatToolChoice, tools: readonly ChatTool[]): ToolChoice {
  if (typeof choice === "string") return choice;
  if (choice.type !== "allowed_tools") return toChosen(choice, tools, "tool_choice");
  const { mode, tools: allowed } = choice.allowed_tools;
  return {
    type: "allowed_tools",
    mode,
    tools: allowed.map((entry, index) => toChosen(entry, tools, `tool_choice.allowed_tools.tools[${index}]`)),
  };
}

function toChosen(chosen: ChatChosenTool, tools: readonly ChatTool[], param: string): ChosenTool {
  const { type } = chosen;
  const name = type === "function" ? chosen.function.name : chosen.custom.name;
  const isDeclared = tools.map(toDeclaration).some((tool) => tool.type === type && tool.name === name);
  if (isDeclared) return { type, name };
  throw fieldError(`${param}.${type}.name`, `'${name.slice(0, 64)}' is not among 'tools'`);
}

function toWebSearch(options: ChatWebSearchOptions): WebSearchDeclaration {
  return {
    type: "web_search",
    search_context_size: options.search_context_size,
    user_location: options.user_location?.approximate,
  };
}
