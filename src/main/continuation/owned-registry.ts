import type {
  CodexNativeApiContinuationRegistry,
  ContinuationLookup,
  ContinuationPutResult,
  ContinuationRegistryStats,
  NewContinuationRecord,
} from "./types.js";

/** Name of the token a caller has; null where callers need none. */
export type Owner = string | null;

/** What was made while nobody needed a token belongs to nobody, and so to everybody. */
export function mayUse(owner: Owner | undefined, caller: Owner): boolean {
  return owner === null || owner === undefined || owner === caller;
}

/** One owner's part of a registry: the responses of others are as unknown there as those that never were. */
export class OwnedRegistry implements CodexNativeApiContinuationRegistry {
  readonly #registry: CodexNativeApiContinuationRegistry;
  readonly #owner: Owner;

  constructor(registry: CodexNativeApiContinuationRegistry, owner: Owner) {
    this.#registry = registry;
    this.#owner = owner;
  }

  put(record: NewContinuationRecord): Promise<ContinuationPutResult> {
    return this.#registry.put({ ...record, owner: this.#owner });
  }

  async get(responseId: string): Promise<ContinuationLookup> {
    const lookup = await this.#registry.get(responseId);
    return mayUse(ownerOf(lookup), this.#owner) ? lookup : { status: "not_found" };
  }

  async has(responseId: string): Promise<boolean> {
    return (await this.get(responseId)).status === "found";
  }

  async delete(responseId: string): Promise<boolean> {
    const lookup = await this.#registry.get(responseId);
    if (!mayUse(ownerOf(lookup), this.#owner)) return false;
    return this.#registry.delete(responseId);
  }

  stats(): ContinuationRegistryStats {
    return this.#registry.stats();
  }
}

function ownerOf(lookup: ContinuationLookup): Owner {
  switch (lookup.status) {
    case "found":
      return lookup.record.owner ?? null;
    case "gone":
      return lookup.owner ?? null;
    case "not_found":
      return null;
  }
}
