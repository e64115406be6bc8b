/**
 * What the caller asked for and Codex cannot enforce: a directive asks the model for it, and its answer shows whether
 * it obeyed. Where it did not, the parameter is named in `native_api.ignored_parameters`.
 */
import { kindOfCall, nameOfCall } from "../../../workers/contract/client-tools.js";
import { isJsonObject } from "../../../workers/contract/json.js";
import { isCommentary } from "./commentary.js";

export type Obligation =
  /** At least one call of these tools. */
  | {
      readonly kind: "tool_call";
      readonly param: string;
      readonly functions: readonly string[];
      readonly webSearch: boolean;
    }
  /** No more than one call of a function. */
  | { readonly kind: "single_call"; readonly param: string }
  /** No more than so many calls of web search. */
  | { readonly kind: "search_limit"; readonly param: string; readonly most: number }
  /** An answer in words is one JSON value, or one JSON object. */
  | { readonly kind: "json_answer"; readonly param: string; readonly objectOnly: boolean };

/** What is read of an output item; every kind of them is one. */
export interface AnsweredItem {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly content?: unknown;
  readonly phase?: unknown;
}

/**
 * The parameters that a response did not honour, in order and each once.
 *
 * @param output the items of one completed response.
 */
export function unmetObligations(
  obligations: readonly Obligation[],
  output: readonly AnsweredItem[],
): readonly string[] {
  const unmet = obligations.filter((obligation) => !isMet(obligation, output)).map(({ param }) => param);
  return [...new Set(unmet)];
}

function isMet(obligation: Obligation, output: readonly AnsweredItem[]): boolean {
  switch (obligation.kind) {
    case "tool_call":
      return output.some((item) => isCallOf(item, obligation.functions, obligation.webSearch));
    case "single_call":
      return output.filter((item) => kindOfCall(item) !== null).length <= 1;
    case "search_limit":
      return output.filter(({ type }) => type === "web_search_call").length <= obligation.most;
    case "json_answer":
      return isJsonAnswer(output, obligation.objectOnly);
  }
}

function isCallOf(item: AnsweredItem, functions: readonly string[], webSearch: boolean): boolean {
  if (item.type === "web_search_call") return webSearch;
  const name = kindOfCall(item) === null ? null : nameOfCall(item);
  return name !== null && functions.includes(name);
}

/** Of several messages that are no commentary the last is the answer. None, or a refusal, leaves nothing to obey. */
function isJsonAnswer(output: readonly AnsweredItem[], objectOnly: boolean): boolean {
  const message = output.findLast((item) => item.type === "message" && !isCommentary(item));
  const parts = Array.isArray(message?.content) ? message.content.filter(isJsonObject) : [];
  const texts = parts.filter(({ type }) => type === "output_text").map(({ text }) => String(text));
  if (texts.length === 0) return true;
  try {
    const value: unknown = JSON.parse(texts.join(""));
    return !objectOnly || isJsonObject(value);
  } catch {
    // The text is no JSON, so the obligation is not met.
    return false;
  }
}
