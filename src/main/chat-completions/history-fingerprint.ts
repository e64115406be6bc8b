import { createHash, type Hash } from "node:crypto";
import { isJsonObject } from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import { type ItemList, visitItems } from "../history/item-list.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";

export interface Identity {
  readonly providerProfileId: string;
  readonly accountId: string | null;
}

/** What a fingerprint is made of. */
export interface SeenHistory {
  readonly request: IsolatedTurnRequest;
  /** Items of the request, of which the first so many count. */
  readonly items: ItemList;
  readonly count: number;
  /** Items that came after them. */
  readonly more: readonly JsonObject[];
  readonly identity: Identity;
}

/**
 * All that the model has seen up to a point, and how it was asked, as one word. A parked turn goes on only for a caller
 * that resends exactly this.
 */
export async function fingerprintHistory(seen: SeenHistory, pace: Pace): Promise<string> {
  const { request, items, count, more, identity } = seen;
  const { items: _items, taskClass: _class, caller: _caller, requestId: _id, ...settings } = request;
  const hash = createHash("sha256");
  add(hash, [identity.providerProfileId, identity.accountId]);
  add(hash, sorted(settings));
  await visitItems(items, pace, (item, index) => {
    if (index < count) add(hash, sorted(withPlainArguments(item)));
  });
  for (const item of more) add(hash, sorted(withPlainArguments(item)));
  return hash.digest("base64url");
}

function add(hash: Hash, value: unknown): void {
  hash.update(JSON.stringify(value)).update("\n");
}

/** Clients that parse arguments write them out again in their own way: with other spaces, or in another order. */
function withPlainArguments(item: JsonObject): JsonObject {
  const { arguments: given } = item;
  if (item.type !== "function_call" || typeof given !== "string") return item;
  try {
    return { ...item, arguments: sorted(JSON.parse(given)) };
  } catch {
    // The model's text is no JSON: then nobody can have written it anew.
    return item;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, sorted(entry)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
