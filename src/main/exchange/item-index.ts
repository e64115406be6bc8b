import { LRUCache } from "lru-cache";
import { itemTraits } from "../../workers/contract/item-chunk.js";
import type { Pace } from "../../workers/contract/pace.js";
import type { OwnedRegistry, Owner } from "../continuation/owned-registry.js";
import type { ContinuationRecord, NewContinuationRecord } from "../continuation/types.js";
import { fieldError } from "../dialects/requests/schema-fault.js";
import type { PassedOnItem } from "../dialects/responses/wire-items.js";
import { type ItemList, ItemPacker, type Items, packItems, visitItems } from "../history/item-list.js";
import type { JsonObject } from "../runtime/types.js";

/** Ids remembered; beyond this number the oldest are forgotten. One is about 100 bytes. */
const maxIds = 100_000;
/** Size of a request's items once what they refer to is in its place: a stored item may be referred to again and again. */
const maxResolvedBytes = 128 * 1024 * 1024;

const tooLarge = `with the stored items that it refers to, the input is larger than ${maxResolvedBytes} bytes`;

const idPrefixes = new Map<unknown, string>([
  ["message", "msg"],
  ["function_call", "fc"],
  ["function_call_output", "fco"],
  ["reasoning", "rs"],
]);

/** An input item as the API shows it: with an id, its own or one made of its response and place. */
function identifyItem({ id, ...rest }: JsonObject, responseId: string, index: number): PassedOnItem {
  return { id: typeof id === "string" ? id : madeIdOf(rest, responseId, index), ...rest };
}

function madeIdOf({ type }: JsonObject, responseId: string, index: number): string {
  return `${idPrefixes.get(type) ?? "item"}_${responseId.replace(/^resp_/, "")}_${index}`;
}

/** Response and place that such an id names; null for an id of another form. */
function readMadeId(id: string): { readonly responseId: string; readonly index: number } | null {
  const [, response, index] = /^(?:msg|fc|fco|rs|item)_(.+)_(\d{1,9})$/.exec(id) ?? [];
  return response === undefined ? null : { responseId: `resp_${response}`, index: Number(index) };
}

export interface ItemPage {
  readonly items: readonly PassedOnItem[];
  readonly hasMore: boolean;
}

export interface ItemQuery {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** Id of the item before the page. */
  readonly after: string | null;
}

/** Some of a response's input items, as the API shows them. Throws `invalid_request` where there is no item to start after. */
export async function pageItems(
  { responseId, inputItems }: { readonly responseId: string; readonly inputItems: Items },
  query: ItemQuery,
  pace: Pace,
): Promise<ItemPage> {
  const items = await packItems(inputItems, pace);
  const isAscending = query.order === "asc";
  let place = isAscending ? -1 : items.length;
  if (query.after !== null) {
    place = await findPlace(items, query.after, responseId, pace);
    if (place < 0) {
      throw fieldError("after", "there is no such item to start after");
    }
  }
  const from = isAscending ? place + 1 : Math.max(0, place - query.limit);
  const to = isAscending ? Math.min(items.length, from + query.limit) : place;
  const page = items.slice(from, to).map((item, at) => identifyItem(item, responseId, from + at));
  return isAscending
    ? { items: page, hasMore: to < items.length }
    : { items: page.reverse(), hasMore: from > 0 };
}

/** The place of the item that is shown under this id; -1 where none is. */
async function findPlace(items: ItemList, id: string, responseId: string, pace: Pace): Promise<number> {
  const made = readMadeId(id);
  if (made !== null) {
    const [item] = items.slice(made.index, made.index + 1);
    if (item !== undefined && identifyItem(item, responseId, made.index).id === id) return made.index;
  }
  let place = -1;
  const look = (item: JsonObject, index: number) => {
    if (place < 0 && item.id === id) place = index;
  };
  await visitItems(items, pace, look, itemTraits.id);
  return place;
}

/** Whose items are looked for, and where they are kept. */
export interface ItemSource {
  readonly registry: Pick<OwnedRegistry, "get">;
  readonly owner: Owner;
  readonly pace: Pace;
}

/** Where stored items lie, since an `item_reference` names the item and not its response. */
export class ItemIndex {
  /** By the id of an item, where the caller or the model gave it one; an id that this service made names its response. */
  readonly #responseIds = new LRUCache<string, string>({ maxSize: maxIds, sizeCalculation: () => 1 });

  async add(record: NewContinuationRecord, pace: Pace): Promise<void> {
    const add = ({ id }: JsonObject) => {
      if (typeof id === "string") this.#responseIds.set(keyOf(id, record.owner ?? null), record.responseId);
    };
    await visitItems(record.inputItems, pace, add, itemTraits.id);
    record.outputItems.forEach(add);
  }

  /**
   * Puts stored items in the place of `item_reference`s, and gives reasoning back the encrypted content that its caller was not
   * given or did not keep: a caller that sends an answer's items back unchanged names reasoning by its id alone.
   *
   * @throws CodexNativeApiError `invalid_request` with the path of a reference to an item that is not stored, and where
   * all of it together becomes too much.
   */
  async resolve(items: ItemList, source: ItemSource): Promise<ItemList> {
    if (!items.has(itemTraits.reference)) return items;
    const { pace } = source;
    const wanted = new Set<string>();
    const note = (item: JsonObject) => {
      if (isReference(item) || isBareReasoning(item)) wanted.add(String(item.id));
    };
    await visitItems(items, pace, note, itemTraits.reference);
    const stored = await this.#find(wanted, source);
    const packer = new ItemPacker();
    await visitItems(items, pace, (item, index) => {
      packer.add(resolveOne(item, index, stored));
      if (packer.bytes > maxResolvedBytes) throw fieldError(`input[${index}].id`, tooLarge);
    });
    return packer.finish();
  }

  /** The stored items of these ids: each response is read once, whatever is wanted of it. */
  async #find(
    ids: ReadonlySet<string>,
    { registry, owner, pace }: ItemSource,
  ): Promise<ReadonlyMap<string, JsonObject>> {
    const byResponse = new Map<string, Set<string>>();
    for (const id of ids) {
      const responseId =
        this.#responseIds.peek(keyOf(id, owner)) ??
        this.#responseIds.peek(keyOf(id, null)) ??
        readMadeId(id)?.responseId;
      if (responseId === undefined) continue;
      const wanted = byResponse.get(responseId) ?? new Set();
      byResponse.set(responseId, wanted.add(id));
      if (pace.isDue) await pace.rest();
    }
    const found = new Map<string, JsonObject>();
    for (const [responseId, wanted] of byResponse) {
      const lookup = await registry.get(responseId);
      if (lookup.status === "found") await collect(lookup.record, wanted, found, pace);
      if (pace.isDue) await pace.rest();
    }
    return found;
  }
}

async function collect(
  { responseId, inputItems, outputItems }: ContinuationRecord,
  wanted: ReadonlySet<string>,
  found: Map<string, JsonObject>,
  pace: Pace,
): Promise<void> {
  const take = (item: JsonObject, index: number | null) => {
    const shown = index === null ? item : identifyItem(item, responseId, index);
    if (typeof shown.id === "string" && wanted.has(shown.id)) found.set(shown.id, shown);
  };
  for (const item of outputItems) take(item, null);
  await visitItems(inputItems, pace, take);
}

function resolveOne(item: JsonObject, index: number, stored: ReadonlyMap<string, JsonObject>): JsonObject {
  if (isReference(item)) {
    const found = stored.get(String(item.id));
    if (found !== undefined) return found;
    throw fieldError(`input[${index}].id`, `item '${String(item.id).slice(0, 64)}' is not stored here`);
  }
  const encrypted = isBareReasoning(item) ? stored.get(String(item.id))?.encrypted_content : undefined;
  return typeof encrypted === "string" ? { ...item, encrypted_content: encrypted } : item;
}

/** Input items have the ids their callers gave them: one caller's must not stand for another's. */
function keyOf(id: string, owner: Owner): string {
  return owner === null ? id : `${owner} ${id}`;
}

function isReference({ type }: JsonObject): boolean {
  return type === "item_reference";
}

function isBareReasoning({ type, id, encrypted_content: encrypted }: JsonObject): boolean {
  return type === "reasoning" && typeof id === "string" && typeof encrypted !== "string";
}
