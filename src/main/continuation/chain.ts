import type { Pace } from "../../workers/contract/pace.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../errors.js";
import { ItemList, packItems } from "../history/item-list.js";
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

const param = "previous_response_id";

/** Responses in one chain, from its first to the one that is continued. */
export const maxChainDepth = 4096;

/**
 * Reads the chain that ends with `previousResponseId`. Each response of it counts as used, so that a chain lives as long as
 * its last response does, also while the native thread makes reading the old ones unnecessary. Only ancestors are read:
 * other branches from the same responses are never seen.
 *
 * The head is read first and so ends up as the least recently used of its chain: when room is short a chain loses its end
 * before its beginning, and what is left can still be branched from.
 *
 * @param now Unix time in milliseconds; guards against registries that keep what is expired.
 * @throws CodexNativeApiError `continuation_not_found` (the response itself is unknown), `continuation_expired` (it, or a
 * response it builds on, is not stored any more; the message says which), `continuation_provider_mismatch`,
 * `continuation_account_mismatch`, `invalid_request` (the chain is longer than 4096 responses), `internal_error` (the registry
 * holds a chain that runs in a circle).
 */
export async function readChain(
  registry: Pick<CodexNativeApiContinuationRegistry, "get">,
  previousResponseId: string,
  identity: ContinuationIdentity,
  now: number,
  pace: Pace,
): Promise<ResponseChain> {
  const head = readHead(await registry.get(previousResponseId), previousResponseId, now);
  checkIdentity(head, identity);
  const seenIds = new Set([head.responseId]);
  const newestFirst = [head];
  let ancestorId = head.previousResponseId;
  while (ancestorId !== null) {
    checkStep(previousResponseId, ancestorId, seenIds);
    const ancestor = readAncestor(await registry.get(ancestorId), ancestorId, previousResponseId, now);
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
  if (found === null) {
    throw refusal("continuation_not_found", sayNotFound(id));
  }
  if (typeof found === "string") throw expired(id, `Response '${id}' ${goneWords[found]}.`);
  return found;
}

/** An ancestor that was deleted counts as gone and not as unknown: the response that the caller named is there. */
function readAncestor(
  lookup: ContinuationLookup,
  ancestorId: string,
  headId: string,
  now: number,
): ContinuationRecord {
  const found = readLookup(lookup, now);
  if (found !== null && typeof found !== "string") return found;
  const why = found === null ? "was deleted or is long forgotten" : goneWords[found];
  throw expired(headId, `Response '${headId}' builds on response '${ancestorId}', which ${why}.`);
}

/** The record, or why it is gone; null for one that is not known at all. */
function readLookup(
  lookup: ContinuationLookup,
  now: number,
): ContinuationRecord | ContinuationGoneReason | null {
  if (lookup.status === "not_found") return null;
  if (lookup.status === "gone") return lookup.reason;
  return lookup.record.expiresAt > now ? lookup.record : "expired";
}

const goneWords: Readonly<Record<ContinuationGoneReason, string>> = {
  expired: "was not used for too long and has expired",
  evicted: "was dropped to make room for newer ones",
  too_large: "was too large to be stored",
};

/** Begins with the words for an unknown response: clients that look for those send the whole history here too. */
function expired(id: string, reason: string): CodexNativeApiError {
  return refusal("continuation_expired", `${sayNotFound(id)} ${reason} Send the whole history as input.`);
}

/** Characters of an id that are repeated to its sender. */
const shownIdChars = 256;

/** OpenAI's sentence for a response that cannot be continued, to the letter: clients recover where they find it. */
export function sayNotFound(previousResponseId: string): string {
  return `Previous response with id '${previousResponseId.slice(0, shownIdChars)}' not found.`;
}

function refusal(code: CodexNativeApiErrorCode, message: string): CodexNativeApiError {
  return new CodexNativeApiError(code, message, { param });
}

function checkStep(headId: string, nextId: string, seenIds: ReadonlySet<string>): void {
  if (seenIds.has(nextId)) {
    throw new CodexNativeApiError("internal_error", `The chain of response '${headId}' runs in a circle.`);
  }
  if (seenIds.size >= maxChainDepth) {
    const message = `The chain of response '${headId}' is longer than ${maxChainDepth} responses. Send the history as input.`;
    throw refusal("invalid_request", message);
  }
}

/** Every response of the chain is checked and not only the last: a host's store may hold what this service never wrote. */
function checkIdentity(record: ContinuationRecord, identity: ContinuationIdentity): void {
  if (record.providerProfileId !== identity.providerProfileId) {
    throw refusal(
      "continuation_provider_mismatch",
      `Response '${record.responseId}' belongs to another provider profile. Start a new chain.`,
    );
  }
  if (record.activeAccountId !== identity.accountId) {
    throw refusal(
      "continuation_account_mismatch",
      `Response '${record.responseId}' belongs to another Codex account. Start a new chain.`,
    );
  }
}
