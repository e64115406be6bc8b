/**
 * Which of the declared tools the model is offered, with which directives. A narrower choice offers fewer tools, which
 * Codex enforces; that a tool must be called, or only one at a time, is a directive in words.
 */
import type { Obligation } from "../answers/obligations.js";
import { fieldError } from "../requests/schema-fault.js";
import {
  type AllowedTools,
  type ChosenTool,
  type ClientTool,
  isWebSearchTool,
  listClientTools,
  type Tool,
  type ToolChoice,
  type WebSearchDeclaration,
  webSearchTypes,
} from "./tool-schemas.js";

export interface OfferedTools {
  /** Those that the caller runs. */
  readonly functions: readonly ClientTool[];
  /** Null when web search is off. */
  readonly webSearch: WebSearchDeclaration | null;
  /** Instructions for the model, a sentence each. */
  readonly directives: readonly string[];
  readonly obligations: readonly Obligation[];
}

/** A choice in OpenAI's own form. */
export type SettledChoice =
  | "none"
  | "auto"
  | "required"
  | ChosenTool
  | (AllowedTools & { readonly mode: "auto" | "required" });

export interface ToolRequest {
  readonly tools: readonly Tool[];
  readonly choice: SettledChoice;
  readonly parallelToolCalls: boolean;
  /** How many calls of built-in tools a response may have. OpenAI counts no others. Default: any number. */
  readonly maxToolCalls?: number | null;
}

const none: OfferedTools = { functions: [], webSearch: null, directives: [], obligations: [] };

/** Web search chosen by its name alone is declared by that, and allowed tools without a mode may be called or not. */
export function settleTools(
  tools: readonly Tool[],
  choice: ToolChoice,
): { readonly tools: readonly Tool[]; readonly choice: SettledChoice } {
  if (choice === "none" || choice === "auto" || choice === "required") return { tools, choice };
  if (typeof choice !== "string") {
    return {
      tools,
      choice: choice.type === "allowed_tools" ? { ...choice, mode: choice.mode ?? "auto" } : choice,
    };
  }
  const search = { type: choice };
  return { tools: tools.some(isWebSearchTool) ? tools : [...tools, search], choice: search };
}

/** @throws CodexNativeApiError `invalid_request` for a choice of a tool that is not declared. */
export function offerTools({
  tools,
  choice,
  parallelToolCalls,
  maxToolCalls = null,
}: ToolRequest): OfferedTools {
  if (choice === "none") return none;
  const declared = { functions: listClientTools(tools), webSearch: tools.find(isWebSearchTool) ?? null };
  const offered = narrow(declared, choice);
  const { functions } = offered;
  const demanded = isDemanding(choice) ? demandCall(offered) : null;
  const single = !parallelToolCalls && functions.length > 0 ? singleCall : null;
  const limited = maxToolCalls !== null && offered.webSearch !== null ? limitSearches(maxToolCalls) : null;
  const rules = [demanded, single, limited].filter((rule) => rule !== null);
  return {
    ...offered,
    directives: rules.map(({ directive }) => directive),
    obligations: rules.map(({ obligation }) => obligation),
  };
}

type DeclaredTools = Pick<OfferedTools, "functions" | "webSearch">;

function narrow(declared: DeclaredTools, choice: SettledChoice): DeclaredTools {
  if (choice === "auto" || choice === "none") return declared;
  if (choice === "required") {
    const isEmpty = declared.functions.length === 0 && declared.webSearch === null;
    if (isEmpty) throw fieldError("tool_choice", "'required' needs at least one tool in 'tools'");
    return declared;
  }
  if (choice.type !== "allowed_tools") return find(declared, choice, "tool_choice");
  const allowed = choice.tools.map((entry, index) => find(declared, entry, `tool_choice.tools[${index}]`));
  const offered = new Set(allowed.flatMap(({ functions }) => functions));
  return {
    functions: declared.functions.filter((tool) => offered.has(tool)),
    webSearch: allowed.some(({ webSearch }) => webSearch !== null) ? declared.webSearch : null,
  };
}

function find({ functions, webSearch }: DeclaredTools, chosen: ChosenTool, param: string): DeclaredTools {
  const isNamed = chosen.type === "function" || chosen.type === "custom";
  const name = isNamed ? chosen.name : chosen.type;
  const found = functions.filter((tool) => tool.kind === chosen.type && tool.name === name);
  if (found.length > 0) return { functions: found, webSearch: null };
  if (webSearch !== null && isSearch(chosen)) return { functions: [], webSearch };
  throw fieldError(`${param}.${isNamed ? "name" : "type"}`, `'${name.slice(0, 64)}' is not among 'tools'`);
}

function isSearch({ type }: ChosenTool): boolean {
  return webSearchTypes.some((search) => search === type);
}

function isDemanding(choice: SettledChoice): boolean {
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

/** The backend makes these calls within its answer, so that Codex cannot hold them back. */
function limitSearches(most: number): Rule {
  const times = most === 1 ? "once" : `${most} times`;
  return {
    directive:
      most === 0
        ? "Do not use web search."
        : `Use web search at most ${times} before you answer: a page that you open counts too.`,
    obligation: { kind: "search_limit", param: "max_tool_calls", most },
  };
}

const singleCall: Rule = {
  directive: "Call at most one function at a time: wait for its output before you call another.",
  obligation: { kind: "single_call", param: "parallel_tool_calls" },
};

function joinWays(ways: readonly string[]): string {
  return ways.length < 2 ? ways.join("") : `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}`;
}
