import { createHash, type Hash } from "node:crypto";
import { isJsonObject } from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import type { ContinuationIdentity } from "../continuation/types.js";
import { type ItemList, visitItems } from "../history/item-list.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";

/** What a parked turn has seen. */
export interface ParkedHistory {
  readonly fingerprint: string;
  readonly threadId: string;
}

/** Beyond so many the oldest is forgotten; its turn is then replayed and not continued. One is about 200 bytes. */
export const maxParkedHistories = 10_000;

/** Histories of the turns that chat completions left parked, by native turn id. */
export class ParkedHistories {
  readonly #histories = new Map<string, ParkedHistory>();

  get size(): number {
    return this.#histories.size;
  }

  remember(turnId: string, history: ParkedHistory): void {
    this.#histories.delete(turnId);
    this.#histories.set(turnId, history);
    for (const oldest of this.#histories.keys()) {
      if (this.#histories.size <= maxParkedHistories) return;
      this.#histories.delete(oldest);
    }
  }

  /** A history is asked for once: its turn goes on, or is given up. */
  take(turnId: string): ParkedHistory | null {
    const history = this.#histories.get(turnId) ?? null;
    this.#histories.delete(turnId);
    return history;
  }
}

/** What a fingerprint is made of. */
export interface SeenHistory {
  readonly request: IsolatedTurnRequest;
  /** Items of the request, of which the first so many count. */
  readonly items: ItemList;
  readonly count: number;
  /** Items that came after them. */
  readonly more: readonly JsonObject[];
  readonly identity: ContinuationIdentity;
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
