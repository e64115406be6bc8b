import { ItemList } from "../../src/main/history/item-list.js";
import type { ItemChunk } from "../../src/workers/contract/item-chunk.js";
import type { JsonObject } from "../../src/workers/contract/json.js";

/** Items as a turn's assignment has them. */
export function packed(...items: readonly JsonObject[]): readonly ItemChunk[] {
  return ItemList.of(items).chunks;
}
