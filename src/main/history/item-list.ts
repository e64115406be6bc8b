import { type ItemChunk, itemTraits, readChunk } from "../../workers/contract/item-chunk.js";
import {
  codexLevels,
  findLongText,
  findTooDeep,
  formatPath,
  type JsonObject,
  maxTextChars,
  mayHoldHalves,
  mendTexts,
} from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import { CodexNativeApiError } from "../errors.js";

/** Items of a history in either form: as values, or packed. */
export type Items = ItemList | readonly JsonObject[];

/**
 * Items of a history as JSON. As values they would take ten times their bytes, and every step from the request to Codex, by way of
 * a thread and a store, would go through all of them in one go. Codex can read each of them: none is nested too deep for it, none
 * holds half a surrogate pair, and none a text without a bound.
 */
export class ItemList implements Iterable<JsonObject> {
  /** No items. */
  static readonly empty = new ItemList([]);
  /** All of it, in order. */
  readonly chunks: readonly ItemChunk[];
  /** Number of items. */
  readonly length: number;
  /** Of the JSON, brackets included. */
  readonly bytes: number;

  constructor(chunks: readonly ItemChunk[]) {
    this.chunks = chunks;
    this.length = chunks.reduce((sum, { count }) => sum + count, 0);
    this.bytes = chunks.reduce((sum, { json }) => sum + json.length + 1, 1);
  }

  /**
   * Packs items.
   *
   * @throws CodexNativeApiError `invalid_request` for an item that Codex could not read; TypeError for one that is no JSON.
   */
  static of(items: Items): ItemList {
    if (items instanceof ItemList) return items;
    if (items.length === 0) return ItemList.empty;
    const packer = new ItemPacker();
    for (const item of items) packer.add(item);
    return packer.finish();
  }

  /** These items, then the others. */
  concat(others: readonly ItemList[]): ItemList {
    if (others.every(({ length }) => length === 0)) return this;
    return new ItemList([...this.chunks, ...others.flatMap(({ chunks }) => chunks)]);
  }

  /** Whether any item has one of these traits. */
  has(traits: number): boolean {
    return this.chunks.some((chunk) => (chunk.traits & traits) !== 0);
  }

  /** Those from one place up to another. */
  slice(from: number, to: number): readonly JsonObject[] {
    const found: JsonObject[] = [];
    let first = 0;
    for (const chunk of this.chunks) {
      if (first >= to) break;
      if (first + chunk.count > from) {
        const items = readChunk(chunk).slice(Math.max(0, from - first), to - first);
        for (const item of items) found.push(item);
      }
      first += chunk.count;
    }
    return found;
  }

  /** The items as values, read a chunk at a time. */
  *[Symbol.iterator](): Generator<JsonObject> {
    for (const chunk of this.chunks) yield* readChunk(chunk);
  }

  /** A host's store gets the items themselves. */
  toJSON(): readonly JsonObject[] {
    return [...this];
  }
}

/**
 * Visits items in their order, with pauses for the event loop. With `traits`, only chunks that have one of them are read: an
 * item that is visited need not have any.
 */
export async function visitItems(
  items: Items,
  pace: Pace,
  visit: (item: JsonObject, index: number) => void,
  traits: number | null = null,
): Promise<void> {
  let index = 0;
  for (const chunk of items instanceof ItemList ? items.chunks : [items]) {
    if (isChunk(chunk) && traits !== null && (chunk.traits & traits) === 0) {
      index += chunk.count;
      continue;
    }
    for (const item of isChunk(chunk) ? readChunk(chunk) : chunk) {
      visit(item, index);
      index += 1;
      if (pace.isDue) await pace.rest();
    }
  }
}

function isChunk(chunk: ItemChunk | readonly JsonObject[]): chunk is ItemChunk {
  return "json" in chunk;
}

/** As `ItemList.of`, for items of which there may be many: with pauses for the event loop. */
export async function packItems(items: Items, pace: Pace): Promise<ItemList> {
  if (items instanceof ItemList) return items;
  const packer = new ItemPacker();
  await visitItems(items, pace, (item) => packer.add(item));
  return packer.finish();
}

/** A chunk is full with so many characters, or so many items. */
const chunkChars = 64 * 1024;
const chunkItems = 1_000;
/** An item takes four levels of the message that brings it to Codex; it is the last of them. */
const itemLevels = codexLevels - 3;
/** No shorter text can be nested too deep. */
const deepChars = 2 * itemLevels;

const encoder = new TextEncoder();

/** Makes an `ItemList`, one item after another. */
export class ItemPacker {
  readonly #chunks: ItemChunk[] = [];
  #texts: string[] = [];
  #chars = 0;
  #traits = 0;
  #added = 0;
  #bytes = 0;

  /** Returns the item's traits. Throws as `ItemList.of` does. */
  add(item: JsonObject): number {
    const text = toItemText(item, this.#added);
    this.#added += 1;
    this.#texts.push(text);
    this.#chars += text.length;
    const traits = traitsOf(item);
    this.#traits |= traits;
    if (this.#chars >= chunkChars || this.#texts.length >= chunkItems) this.#close();
    return traits;
  }

  /** Of the JSON so far, about. */
  get bytes(): number {
    return this.#bytes + this.#chars;
  }

  finish(): ItemList {
    this.#close();
    return this.#chunks.length === 0 ? ItemList.empty : new ItemList(this.#chunks);
  }

  #close(): void {
    const count = this.#texts.length;
    if (count === 0) return;
    const json = encoder.encode(this.#texts.join(","));
    this.#chunks.push({ json, count, traits: this.#traits });
    this.#bytes += json.length;
    this.#texts = [];
    this.#chars = 0;
    this.#traits = 0;
  }
}

function toItemText(item: JsonObject, index: number): string {
  const text = JSON.stringify(item);
  if (text.length > deepChars) {
    const fault = `is nested deeper than ${itemLevels} levels, which is more than Codex reads`;
    refuseAt(findTooDeep(item, itemLevels), index, fault);
  }
  if (text.length > maxTextChars) {
    refuseAt(findLongText(item), index, `is longer than ${maxTextChars} characters`);
  }
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(item)) : text;
}

/** @param path of the fault within the item; null where there is none. */
function refuseAt(path: readonly (string | number)[] | null, index: number, fault: string): void {
  if (path === null) return;
  const param = formatPath(["input", index, ...path]);
  throw new CodexNativeApiError("invalid_request", `'${param}' ${fault}.`, { param });
}

const foreignItem = /^(?:(?:local_)?shell_call|apply_patch_call|additional_tools|tool_search_output)/;

function traitsOf({ type, role, id, encrypted_content: encrypted }: JsonObject): number {
  let traits = role === "system" ? itemTraits.system : 0;
  if (typeof id === "string") traits |= itemTraits.id;
  if (typeof type !== "string") return traits;
  if (type.endsWith("_call") || type.endsWith("_output")) traits |= itemTraits.call;
  if (foreignItem.test(type)) traits |= itemTraits.foreign;
  if (type === "item_reference") return traits | itemTraits.reference;
  const isBareReasoning = type === "reasoning" && typeof id === "string" && typeof encrypted !== "string";
  return isBareReasoning ? traits | itemTraits.reference : traits;
}
