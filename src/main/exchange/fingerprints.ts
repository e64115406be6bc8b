import { createHash, type Hash } from "node:crypto";
import { isJsonObject } from "../../workers/contract/json.js";
import type { Pace } from "../../workers/contract/pace.js";
import type { ContinuationIdentity } from "../continuation/types.js";
import { type ItemList, visitItems } from "../history/item-list.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";

/**
 * Digest of the settings that a native thread keeps for its lifetime, and that a parked turn was started with. A turn continues there
 * only if they are equal; the order of keys in a schema does not count. The model is compared separately, because a request need not
 * name one.
 */
export function fingerprintThread(request: IsolatedTurnRequest): string {
  const { instructions = "", tools = [], webSearch = false, verbosity = null, directives = [] } = request;
  const lengths = tools.map(({ name, description }) => [name, description.length]);
  const hash = createHash("sha256");
  add(hash, [instructions.length, lengths, sorted(webSearch), verbosity, directives]);
  // Long texts as they are: as JSON, each would be copied and escaped once more.
  hash.update(instructions);
  for (const { description, parameters, kind = "function", namespace = null, exact = null } of tools) {
    hash.update(description);
    add(hash, [sorted(parameters), kind, namespace, exact]);
  }
  return hash.digest("base64url");
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
  const { items: _items, taskClass: _class, caller: _caller, requestId: _id, ...others } = request;
  const { instructions: _instructions, tools: _tools, ...turn } = others;
  const hash = createHash("sha256");
  add(hash, [identity.providerProfileId, identity.accountId]);
  hash.update(fingerprintThread(request));
  add(hash, sorted(turn));
  await visitItems(items, pace, (item, index) => {
    if (index < count) add(hash, sorted(withPlainArguments(item)));
  });
  for (const item of more) add(hash, sorted(withPlainArguments(item)));
  return hash.digest("base64url");
}

function add(hash: Hash, value: unknown): void {
  hash.update(JSON.stringify(value)).update("\n");
}

/** Clients that parse arguments serialize them again in their own way: with other spaces, or in another order. */
function withPlainArguments(item: JsonObject): JsonObject {
  const { arguments: given } = item;
  if (item.type !== "function_call" || typeof given !== "string") return item;
  try {
    return { ...item, arguments: sorted(JSON.parse(given)) };
  } catch {
    // The model's text is no JSON, so no client can have parsed it and serialized it again.
    return item;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, sorted(entry)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
