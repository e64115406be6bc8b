import type { JsonObject } from "../../../workers/contract/json.js";
import { type CallKind, type CallStep, refuseUnpairedSteps } from "../tools/call-pairs.js";

const kinds: ReadonlyMap<unknown, readonly [step: CallStep["step"], kind: CallKind]> = new Map([
  ["function_call", ["call", "function"]],
  ["function_call_output", ["output", "function"]],
  ["custom_tool_call", ["call", "custom tool"]],
  ["custom_tool_call_output", ["output", "custom tool"]],
]);

const noItems: ReadonlySet<JsonObject> = new Set();

/**
 * @param history items that come before the request's own: those of the responses it continues.
 * @param input the request's items, as it numbers them.
 * @param echoes those of them that are in the history already.
 * @throws CodexNativeApiError `invalid_request` for the first call or output that has no partner.
 */
export function refuseUnpairedCalls(
  history: readonly JsonObject[],
  input: readonly JsonObject[],
  echoes = noItems,
): void {
  refuseUnpairedSteps(listSteps(history, input, echoes));
}

function* listSteps(
  history: readonly JsonObject[],
  input: readonly JsonObject[],
  echoes: ReadonlySet<JsonObject>,
): Iterable<CallStep> {
  for (const item of history) yield* readStep(item, () => "input");
  for (const [at, item] of input.entries()) {
    if (!echoes.has(item)) yield* readStep(item, () => `input[${at}].call_id`);
  }
}

function* readStep(item: JsonObject, param: () => string): Iterable<CallStep> {
  const found = kinds.get(item.type);
  if (found === undefined || typeof item.call_id !== "string") return;
  const [step, kind] = found;
  yield { step, callId: item.call_id, kind, param: param() };
}
