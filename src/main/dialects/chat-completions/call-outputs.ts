/** Where a history ends in answers to calls: the calls are what a parked turn may wait for. */
import { itemTraits, readChunk } from "../../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../../workers/contract/json.js";
import type { Pace } from "../../../workers/contract/pace.js";
import type { ItemList } from "../../history/item-list.js";

/** The outputs at the end of a history; none where it ends otherwise. */
export function readLastOutputs(items: ItemList, pace: Pace): Promise<readonly JsonObject[]> {
  return readRun(items, false, pace);
}

/** The latest calls that were answered, whatever came after: no earlier one can still wait, for an answer followed it. */
export async function lastAnsweredCalls(items: ItemList, pace: Pace): Promise<readonly string[]> {
  const outputs = await readRun(items, true, pace);
  return outputs.flatMap((item) => (typeof item.call_id === "string" ? [item.call_id] : []));
}

/** Outputs in a row, the last there are. */
async function readRun(items: ItemList, mayBeFollowed: boolean, pace: Pace): Promise<readonly JsonObject[]> {
  const backwards: JsonObject[] = [];
  for (const chunk of items.chunks.toReversed()) {
    const mayHoldOutputs = (chunk.traits & itemTraits.call) !== 0;
    if (!mayHoldOutputs && (backwards.length > 0 || !mayBeFollowed)) break;
    for (const item of mayHoldOutputs ? readChunk(chunk).toReversed() : []) {
      if (isOutput(item)) backwards.push(item);
      else if (backwards.length > 0 || !mayBeFollowed) return backwards.reverse();
    }
    if (pace.isDue) await pace.rest();
  }
  return backwards.reverse();
}

function isOutput({ type }: JsonObject): boolean {
  return type === "function_call_output" || type === "custom_tool_call_output";
}
