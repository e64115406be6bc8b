import { createHash, type Hash } from "node:crypto";
import { isJsonObject } from "../../workers/contract/json.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";

export interface Identity {
  readonly providerProfileId: string;
  readonly accountId: string | null;
}

/**
 * All that the model has seen up to a point, and how it was asked, as one word. A parked turn goes on only for a caller
 * that resends exactly this.
 */
export function fingerprintHistory(
  request: IsolatedTurnRequest,
  history: readonly JsonObject[],
  identity: Identity,
): string {
  const { items: _items, taskClass: _class, caller: _caller, requestId: _id, ...settings } = request;
  const hash = createHash("sha256");
  add(hash, [identity.providerProfileId, identity.accountId]);
  add(hash, sorted(settings));
  for (const item of history) add(hash, sorted(withPlainArguments(item)));
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
