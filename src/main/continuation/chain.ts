import type { Pace } from "../../workers/contract/pace.js";
import { CodexNativeApiError } from "../errors.js";
import { ItemList, packItems } from "../history/item-list.js";
import { continuationLimits } from "./limits.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationGoneReason,
  ContinuationIdentity,
  ContinuationLookup,
  ContinuationRecord,
} from "./types.js";

export interface ResponseChain {
  /** From the chain's first response to the one that is continued; never empty. */
  readonly records: readonly ContinuationRecord[];
  /** The response that is continued. */
  readonly head: ContinuationRecord;
  /** All the model saw and made up to the end of the head, in order. */
  readonly items: ItemList;
}

export interface ReadingChain {
  /** Unix time in milliseconds; guards against registries that keep what is expired. */
  readonly now: number;
  readonly pace: Pace;
}

const param = "previous_response_id";

/**
 * Reads the chain that ends with `previousResponseId`. Each response of it counts as used, so that a chain lives as long as
 * its last response does, also while the native thread makes reading the old ones unnecessary. Only ancestors are read:
 * other branches from the same responses are never seen.
 *
 * The head is read first and so ends up as the least recently used of its chain: when room is short a chain loses its end
 * before its beginning, and what is left can still be branched from.
 *
 * @throws CodexNativeApiError `continuation_not_found` (the response itself is unknown), `continuation_expired` (it, or a
 * response it builds on, is not stored any more; the message says which), `continuation_provider_mismatch`,
 * `continuation_account_mismatch`, `invalid_request` (the chain is longer than 4096 responses), `internal_error` (the registry
 * holds a chain that runs in a circle).
 */
export async function readChain(
  registry: CodexNativeApiContinuationRegistry,
  previousResponseId: string,
  identity: ContinuationIdentity,
  { now, pace }: ReadingChain,
): Promise<ResponseChain> {
  const head = readHead(await registry.get(previousResponseId), previousResponseId, now);
  checkIdentity(head, identity);
  const seenIds = new Set([head.responseId]);
  const newestFirst = [head];
  let ancestorId = head.previousResponseId;
  while (ancestorId !== null) {
    checkStep(previousResponseId, ancestorId, seenIds);
    const ancestor = readAncestor(await registry.get(ancestorId), {
      ancestorId,
      headId: previousResponseId,
      now,
    });
    checkIdentity(ancestor, identity);
    seenIds.add(ancestorId);
    newestFirst.push(ancestor);
    ancestorId = ancestor.previousResponseId;
  }
  const records = newestFirst.reverse();
  return { records, head, items: await joinItems(records, pace) };
}

async function joinItems(records: readonly ContinuationRecord[], pace: Pace): Promise<ItemList> {
  const lists: ItemList[] = [];
  for (const { inputItems, outputItems } of records) {
    lists.push(await packItems(inputItems, pace), await packItems(outputItems, pace));
    if (pace.isDue) await pace.rest();
  }
  return ItemList.empty.concat(lists);
}

function readHead(lookup: ContinuationLookup, id: string, now: number): ContinuationRecord {
  const found = readLookup(lookup, now);
  if (found.record !== null) return found.record;
  if (found.reason === null) {
    const message = `Response '${id}' is not known. It may never have been stored, have been deleted, or be from before a restart.`;
    throw new CodexNativeApiError("continuation_not_found", message, { param });
  }
  throw expired(`Response '${id}' ${goneWords[found.reason]}.`);
}

interface AncestorStep {
  readonly ancestorId: string;
  readonly headId: string;
  readonly now: number;
}

/** However an ancestor went, the response named by the caller is there and only cannot be continued any more: gone, not unknown. */
function readAncestor(lookup: ContinuationLookup, step: AncestorStep): ContinuationRecord {
  const found = readLookup(lookup, step.now);
  if (found.record !== null) return found.record;
  const why = found.reason === null ? "was deleted or is long forgotten" : goneWords[found.reason];
  throw expired(`Response '${step.headId}' builds on response '${step.ancestorId}', which ${why}.`);
}

type Found =
  | { readonly record: ContinuationRecord }
  /** Without a reason it is not known at all. */
  | { readonly record: null; readonly reason: ContinuationGoneReason | null };

function readLookup(lookup: ContinuationLookup, now: number): Found {
  switch (lookup.status) {
    case "found":
      return lookup.record.expiresAt > now ? lookup : { record: null, reason: "expired" };
    case "gone":
      return { record: null, reason: lookup.reason };
    case "not_found":
      return { record: null, reason: null };
  }
}

const goneWords: Readonly<Record<ContinuationGoneReason, string>> = {
  expired: "was not used for too long and has expired",
  evicted: "was dropped to make room for newer ones",
  too_large: "was too large to be stored",
};

function expired(reason: string): CodexNativeApiError {
  return new CodexNativeApiError("continuation_expired", `${reason} Send the whole history as input.`, {
    param,
  });
}

function checkStep(headId: string, nextId: string, seenIds: ReadonlySet<string>): void {
  if (seenIds.has(nextId)) {
    throw new CodexNativeApiError("internal_error", `The chain of response '${headId}' runs in a circle.`);
  }
  if (seenIds.size >= continuationLimits.maxChainDepth) {
    const message = `The chain of response '${headId}' is longer than ${continuationLimits.maxChainDepth} responses. Send the history as input.`;
    throw new CodexNativeApiError("invalid_request", message, { param });
  }
}

/** Every response of the chain is checked and not only the last: a host's store may hold what this service never wrote. */
function checkIdentity(record: ContinuationRecord, identity: ContinuationIdentity): void {
  if (record.providerProfileId !== identity.providerProfileId) {
    const message = `Response '${record.responseId}' belongs to another provider profile. Start a new chain.`;
    throw new CodexNativeApiError("continuation_provider_mismatch", message, { param });
  }
  if (record.activeAccountId !== identity.accountId) {
    const message = `Response '${record.responseId}' belongs to another Codex account. Start a new chain.`;
    throw new CodexNativeApiError("continuation_account_mismatch", message, { param });
  }
}
