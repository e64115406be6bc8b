/**
 * Each call in the history needs its output and each output its call: Codex drops an output without a call, and answers a
 * call without an output in the function's place ("aborted"). OpenAI refuses both, and so does this.
 */
import type { JsonObject } from "../../../workers/contract/json.js";
import { CodexNativeApiError } from "../../errors.js";

const callTypes: ReadonlyMap<unknown, string> = new Map([
  ["function_call", "function"],
  ["custom_tool_call", "custom"],
]);
const outputTypes: ReadonlyMap<unknown, string> = new Map([
  ["function_call_output", "function"],
  ["custom_tool_call_output", "custom"],
]);

/**
 * @param history items that come before the request's own: those of the responses it continues.
 * @param input the request's items.
 * @throws CodexNativeApiError `invalid_request` for the first item that is left alone.
 */
export function refuseUnpairedCalls(history: readonly JsonObject[], input: readonly JsonObject[]): void {
  const items = [...history, ...input];
  const calls = collectKeys(items, callTypes);
  const outputs = collectKeys(items, outputTypes);
  for (const [at, item] of items.entries()) {
    const param = at < history.length ? "input" : `input[${at - history.length}]`;
    const asOutput = keyOf(item, outputTypes);
    if (asOutput !== null && !calls.has(asOutput)) {
      throw fault(param, `no tool call found for the output of call '${shorten(item.call_id)}'`);
    }
    const asCall = keyOf(item, callTypes);
    if (asCall !== null && !outputs.has(asCall)) {
      throw fault(param, `no tool output found for call '${shorten(item.call_id)}'`);
    }
  }
}

function collectKeys(items: readonly JsonObject[], kinds: ReadonlyMap<unknown, string>): ReadonlySet<string> {
  return new Set(items.map((item) => keyOf(item, kinds)).filter((key) => key !== null));
}

function keyOf(item: JsonObject, kinds: ReadonlyMap<unknown, string>): string | null {
  const kind = kinds.get(item.type);
  return kind === undefined ? null : `${kind} ${item.call_id}`;
}

function shorten(callId: unknown): string {
  return String(callId).slice(0, 64);
}

function fault(param: string, message: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", `'${param}': ${message}.`, { param });
}
