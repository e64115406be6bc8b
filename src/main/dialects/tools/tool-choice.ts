/**
 * Which of the declared tools the model is offered, and what it is told about them. A smaller choice is made by offering
 * less, which Codex enforces; that a tool must be called, or only one at a time, can only be said in words.
 */
import { CodexNativeApiError } from "../../errors.js";
import type { Obligation } from "../answers/obligations.js";
import {
  type ChosenTool,
  type FunctionToolDeclaration,
  isFunctionTool,
  isWebSearchTool,
  type Tool,
  type ToolChoice,
  type WebSearchDeclaration,
} from "./tool-schemas.js";

export interface OfferedTools {
  readonly functions: readonly FunctionToolDeclaration[];
  /** Null when web search is off. */
  readonly webSearch: WebSearchDeclaration | null;
  /** What the model is told, a sentence each. */
  readonly directives: readonly string[];
  readonly obligations: readonly Obligation[];
}

export interface ToolRequest {
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice;
  readonly parallelToolCalls: boolean;
}

const none: OfferedTools = { functions: [], webSearch: null, directives: [], obligations: [] };

/** @throws CodexNativeApiError `invalid_request` for a choice of a tool that is not declared. */
export function offerTools({ tools, choice, parallelToolCalls }: ToolRequest): OfferedTools {
  if (choice === "none") return none;
  const chosen = narrow(tools, choice);
  const functions = chosen.filter(isFunctionTool);
  const offered = { functions, webSearch: chosen.find(isWebSearchTool) ?? null };
  const demanded = isDemanding(choice) ? demandCall(offered) : null;
  const single = !parallelToolCalls && functions.length > 0 ? singleCall : null;
  const rules = [demanded, single].filter((rule) => rule !== null);
  return {
    ...offered,
    directives: rules.map(({ directive }) => directive),
    obligations: rules.map(({ obligation }) => obligation),
  };
}

function narrow(tools: readonly Tool[], choice: ToolChoice): readonly Tool[] {
  if (choice === "auto" || choice === "none") return tools;
  if (choice === "required") {
    if (tools.length === 0) throw undeclared("tool_choice", "'required' needs at least one tool in 'tools'");
    return tools;
  }
  if (choice.type !== "allowed_tools") {
    return [find(tools, choice, choice.type === "function" ? "tool_choice.name" : "tool_choice.type")];
  }
  const allowed = choice.tools.map((entry, index) => {
    const field = entry.type === "function" ? "name" : "type";
    return find(tools, entry, `tool_choice.tools[${index}].${field}`);
  });
  return tools.filter((tool) => allowed.includes(tool));
}

function find(tools: readonly Tool[], chosen: ChosenTool, param: string): Tool {
  const found = tools.find((tool) =>
    tool.type === "function"
      ? chosen.type === "function" && tool.name === chosen.name
      : chosen.type !== "function",
  );
  if (found !== undefined) return found;
  const name = chosen.type === "function" ? chosen.name : chosen.type;
  throw undeclared(param, `'${name.slice(0, 64)}' is not among 'tools'`);
}

function isDemanding(choice: ToolChoice): boolean {
  if (typeof choice === "string") return choice === "required";
  return choice.type !== "allowed_tools" || choice.mode === "required";
}

interface Rule {
  readonly directive: string;
  readonly obligation: Obligation;
}

function demandCall({ functions, webSearch }: Pick<OfferedTools, "functions" | "webSearch">): Rule {
  const names = functions.map(({ name }) => name);
  const ways = [
    ...names.map((name) => `the function \`${name}\``),
    ...(webSearch === null ? [] : ["web search"]),
  ];
  return {
    directive: `Your next step must be a tool call: call ${joinWays(ways)} before you answer. Once you have a tool's output, go on as you see fit.`,
    obligation: { kind: "tool_call", param: "tool_choice", functions: names, webSearch: webSearch !== null },
  };
}

const singleCall: Rule = {
  directive: "Call at most one function at a time: wait for its output before you call another.",
  obligation: { kind: "single_call", param: "parallel_tool_calls" },
};

function joinWays(ways: readonly string[]): string {
  return ways.length < 2 ? ways.join("") : `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}`;
}

function undeclared(param: string, message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `'${param}': ${message}.`, { param });
}
