import type { JsonObject } from "./json.js";

/** Some items of a history, as JSON: a turn may have hundreds of thousands, and bytes pass threads and wires without a look at each. */
export interface ItemChunk {
  /** The items in UTF-8, with commas between them. */
  readonly json: Uint8Array;
  readonly count: number;
  /** A sum of `itemTraits`: what at least one of the items has. A reader that looks for none of these skips the chunk. */
  readonly traits: number;
}

export const itemTraits = {
  /** The role `system`, which Codex calls `developer`. */
  system: 1,
  /** A call, or the output of one. */
  call: 2,
  /** An id of its own. */
  id: 4,
  /** Stands for an item that is stored, or for a part of it. */
  reference: 8,
  /** Codex must get it in another form, or not at all, or it brings tools: a call or an output of a tool that Codex has itself, or tools. */
  foreign: 16,
} as const;

export function countItems(chunks: readonly ItemChunk[]): number {
  return chunks.reduce((sum, { count }) => sum + count, 0);
}

export function countBytes(chunks: readonly ItemChunk[]): number {
  return chunks.reduce((sum, { json }) => sum + json.length, 0);
}

export function readChunk({ json }: ItemChunk): readonly JsonObject[] {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  const items: JsonObject[] = JSON.parse(`[${text}]`);
  return items;
}
