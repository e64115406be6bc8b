import { itemTraits } from "../../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import { type Items, visitItems } from "../../history/item-list.js";
import { type CallKind, CallPairs, type CallStep } from "../tools/call-pairs.js";

const kinds: ReadonlyMap<unknown, readonly [step: CallStep["step"], kind: CallKind]> = new Map([
  ["function_call", ["call", "function"]],
  ["function_call_output", ["output", "function"]],
  ["custom_tool_call", ["call", "custom tool"]],
  ["custom_tool_call_output", ["output", "custom tool"]],
]);

const noEchoes: ReadonlySet<number> = new Set();

/**
 * @param history items that come before the request's own: those of the responses it continues.
 * @param input the request's items, as it numbers them.
 * @param echoes the places of those of them that are in the history already.
 * @throws CodexNativeApiError `invalid_request` for the first call or output that has no partner.
 */
export async function refuseUnpairedCalls(
  history: Items,
  input: Items,
  pace: Pace,
  echoes = noEchoes,
): Promise<void> {
  const pairs = new CallPairs();
  await visitItems(history, pace, (item) => takeStep(pairs, item, null), itemTraits.call);
  await visitItems(
    input,
    pace,
    (item, at) => {
      if (!echoes.has(at)) takeStep(pairs, item, at);
    },
    itemTraits.call,
  );
  const fault = pairs.finish();
  if (fault !== null) throw fault;
}

/** @param at the item's place in the request; null for one of the history before it. */
export function takeStep(pairs: CallPairs, item: JsonObject, at: number | null): void {
  const found = kinds.get(item.type);
  if (found === undefined || typeof item.call_id !== "string") return;
  const [step, kind] = found;
  pairs.take({ step, callId: item.call_id, kind, param: at === null ? "input" : `input[${at}].call_id` });
}
