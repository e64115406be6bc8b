/** Where a history ends in answers to calls: the calls are what a parked turn may wait for. */
import type { JsonObject } from "../../../workers/contract/json.js";

export interface AnsweredHistory {
  /** All items before the outputs at the end. */
  readonly history: readonly JsonObject[];
  /** The outputs at the end; none where the history ends otherwise. */
  readonly outputs: readonly JsonObject[];
}

export function splitOutputs(items: readonly JsonObject[]): AnsweredHistory {
  const last = items.findLastIndex((item) => !isOutput(item));
  return { history: items.slice(0, last + 1), outputs: items.slice(last + 1) };
}

/** The latest calls that were answered, whatever came after: no earlier one can still wait, for an answer followed it. */
export function lastAnsweredCalls(items: readonly JsonObject[]): readonly string[] {
  const end = items.findLastIndex(isOutput);
  if (end < 0) return [];
  const { outputs } = splitOutputs(items.slice(0, end + 1));
  return outputs.flatMap((item) => (typeof item.call_id === "string" ? [item.call_id] : []));
}

function isOutput({ type }: JsonObject): boolean {
  return type === "function_call_output" || type === "custom_tool_call_output";
}
