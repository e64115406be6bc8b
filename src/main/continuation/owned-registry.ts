import type { CodexNativeApiContinuationRegistry, ContinuationLookup } from "./types.js";

/** Name of the token a caller has; null where callers need none. */
export type Owner = string | null;

/** null: unowned, since no token was needed when it was made; any caller may use it. */
export function mayUse(owner: Owner | undefined, caller: Owner): boolean {
  return owner === null || owner === undefined || owner === caller;
}

/** One owner's part of a registry. */
export type OwnedRegistry = Pick<CodexNativeApiContinuationRegistry, "put" | "get" | "delete">;

/** Responses of other owners are as unknown there as those that never were. */
export function ownedRegistry(registry: CodexNativeApiContinuationRegistry, owner: Owner): OwnedRegistry {
  return {
    put: (record) => registry.put({ ...record, owner }),
    get: async (responseId) => {
      const lookup = await registry.get(responseId);
      return mayUse(ownerOf(lookup), owner) ? lookup : { status: "not_found" };
    },
    delete: async (responseId) => {
      const lookup = await registry.get(responseId);
      return mayUse(ownerOf(lookup), owner) && (await registry.delete(responseId));
    },
  };
}

function ownerOf(lookup: ContinuationLookup): Owner | undefined {
  if (lookup.status === "not_found") return null;
  return lookup.status === "found" ? lookup.record.owner : lookup.owner;
}
