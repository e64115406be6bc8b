/** Texts of callers as the request log may have them: short, and none that could be a part of what was said. */
import { parameters as chatParameters } from "../../dialects/chat-completions/parameters.js";
import { parameters as decisionParameters } from "../../dialects/decisions/parameters.js";
import { parameters as responsesParameters } from "../../dialects/responses/parameters.js";
import { priorityHeader, timeoutHeader } from "../turn-terms.js";

const maxWordChars = 128;

/** A name, cut to a bounded length. */
export function toWord(text: string | null): string | null {
  return text === null ? null : text.slice(0, maxWordChars).toWellFormed();
}

/** An id; null for a text of another form. */
export function toId(text: string | null): string | null {
  return text !== null && /^[\w.:-]{1,128}$/.test(text) ? text : null;
}

const parameterNames: ReadonlySet<string> = new Set([
  ...[responsesParameters, chatParameters, decisionParameters].flatMap((table) => Object.keys(table)),
  ...[priorityHeader, timeoutHeader],
  // Of paths and queries.
  ...["response_id", "id", "after", "limit", "order", "starting_after", "format"],
]);

/** Names within parameters. All others may be a caller's own. */
const partNames: ReadonlySet<string> = new Set([
  ..."annotations arguments audio call_id choices codexbridge content context cwd data description detail effort".split(
    " ",
  ),
  ..."encrypted_content file_data file_id file_url filename filters format function grammar id image_url include".split(
    " ",
  ),
  ..."input input_audio json_schema locale logprobs messages mode model name name_space namespace options output".split(
    " ",
  ),
  ..."parameters part phase predicates question questions refusal role schema scores search_context_size status".split(
    " ",
  ),
  ..."strict summary syntax taskClass text tool_call_id tool_calls tools type url user_location verbosity".split(
    " ",
  ),
]);

/** The path of a field up to the first name that may be a caller's own; null where that is the first. */
export function toParam(path: string | null): string | null {
  if (path === null) return null;
  const steps = path.slice(0, 256).split(".");
  const isKnown = (step: string, index: number) => {
    const name = step.replace(/(\[\d{1,9}\])+$/, "");
    return index === 0 ? parameterNames.has(name) : partNames.has(name);
  };
  const end = steps.findIndex((step, index) => !isKnown(step, index));
  const known = end === -1 ? steps : steps.slice(0, end);
  return known.length === 0 ? null : known.join(".");
}

const maxIgnored = 32;

/** Parameters that were ignored, as far as their names are the API's own. */
export function toParameterNames(names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => toParam(name) ?? []))].slice(0, maxIgnored);
}
