import { PackedList } from "../app-server/packed-list.js";
import { type ItemChunk, itemTraits, readChunk } from "../contract/item-chunk.js";
import type { JsonObject } from "../contract/json.js";
import type { Pace } from "../contract/pace.js";
import type { TurnAssignment } from "../contract/turn.js";
import { mayHoldHalves, mendTexts } from "../contract/well-formed.js";
import type { ToolNames } from "./tool-names.js";

/**
 * Bounds on what is injected by one call: an item costs Codex a tenth of a millisecond and more, and it answers a call when it has
 * taken all of it.
 */
const atOnce = { items: 2_000, bytes: 4 * 1024 * 1024 } as const;

const encoder = new TextEncoder();

/** What a turn injects, in this order. `leading`: in Codex's words already. */
export interface Injection extends Pick<TurnAssignment, "items" | "directives"> {
  readonly leading: readonly JsonObject[];
}

/** A turn's items in Codex's words, as much at a time as one call should bring it. The event loop goes on between chunks. */
export async function* injectableItems(
  injection: Injection,
  names: ToolNames,
  pace: Pace,
): AsyncGenerator<PackedList> {
  let batch: Uint8Array[] = [];
  let count = 0;
  let bytes = 0;
  for (const chunk of chunksOf(injection, names)) {
    if (count > 0 && (count + chunk.count > atOnce.items || bytes + chunk.json.length > atOnce.bytes)) {
      yield new PackedList(batch);
      batch = [];
      count = 0;
      bytes = 0;
    }
    batch.push(
      needsWords(chunk, names) ? pack(readChunk(chunk).map((item) => toNative(item, names))) : chunk.json,
    );
    count += chunk.count;
    bytes += chunk.json.length;
    if (pace.isDue) await pace.rest();
  }
  if (count > 0) yield new PackedList(batch);
}

function* chunksOf({ leading, items, directives }: Injection, names: ToolNames): Generator<ItemChunk> {
  if (leading.length > 0) yield { json: pack(leading), count: leading.length, traits: 0 };
  yield* items;
  if (directives.length === 0) return;
  const json = pack(directives.map((directive) => names.toNativeDirective(directive)));
  yield { json, count: directives.length, traits: 0 };
}

function needsWords({ traits }: ItemChunk, names: ToolNames): boolean {
  return (traits & (itemTraits.system | (names.changesCalls ? itemTraits.call : 0))) !== 0;
}

/** Codex drops items of the role `system`; `developer` is what OpenAI's newer models call the same. */
function toNative(item: JsonObject, names: ToolNames): JsonObject {
  return item.role === "system" ? { ...item, role: "developer" } : names.toNativeItem(item);
}

function pack(items: readonly JsonObject[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(items.map(toReadableJson).join(","));
}

/** The words of this service's may quote the caller's. */
function toReadableJson(item: JsonObject): string {
  const text = JSON.stringify(item);
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(item)) : text;
}
