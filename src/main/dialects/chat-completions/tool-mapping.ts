/** Tools in the form of the Responses API, where what the model is offered is decided for both. */
import { type OfferedTools, offerTools } from "../tools/tool-choice.js";
import type {
  ChosenTool,
  FunctionToolDeclaration,
  ToolChoice,
  WebSearchDeclaration,
} from "../tools/tool-schemas.js";
import { invalid } from "./request-error.js";
import type { ChatRequest } from "./request-schema.js";
import type { ChatTool, ChatToolChoice, ChatWebSearchOptions } from "./tool-schemas.js";

/** @throws CodexNativeApiError `invalid_request` for a choice of a tool that is not declared. */
export function mapTools(body: ChatRequest): OfferedTools {
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
