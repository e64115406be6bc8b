import type { JsonObject } from "../../workers/contract/json.js";
import type { Items } from "../history/item-list.js";

/** Which dialect made a stored response. */
export type ContinuationRouteKind = "responses" | "chat_completions";

/** Whose work a response is. Work of one identity is never continued under another. */
export interface ContinuationIdentity {
  readonly providerProfileId: string;
  /** Null where the login has no account id; two nulls are the same account. */
  readonly accountId: string | null;
}

/** A stored response as it is handed to a registry. Nothing in it may be changed afterwards: it is kept as it is. */
export interface NewContinuationRecord {
  readonly responseId: string;
  /** The response this one continues; null begins a chain. */
  readonly previousResponseId: string | null;
  readonly nativeThreadId: string;
  readonly nativeTurnId: string;
  /** Codex account id that the turn ran under; null where the login has none. */
  readonly activeAccountId: string | null;
  readonly providerProfileId: string;
  readonly model: string;
  readonly routeKind: ContinuationRouteKind;
  /** When the response began. Unix time in milliseconds. */
  readonly startedAt: number;
  /** Fingerprint of what a native thread keeps for life. The thread may be reused only by a request with an equal one. */
  readonly threadSettings: string;
  /**
   * This request's own input, as the model saw it, without the history before it. Packed: `JSON.stringify` makes an array of the items
   * of it, and a store may give that back.
   */
  readonly inputItems: Items;
  /** What the model made of it, encrypted reasoning included whether or not the caller was shown it. */
  readonly outputItems: readonly JsonObject[];
  /** Function calls that the parked native turn waits for; empty when it is not parked. */
  readonly parkedCallIds: readonly string[];
  /** Name of the token whose response this is; null or left out: unowned, since callers needed no token; any caller may use it. */
  readonly owner?: string | null;
  /** What `GET /v1/responses/{id}` answers; null for chat completions, which cannot be read back. */
  readonly response: JsonObject | null;
}

/** A stored response, with the times that the registry keeps for it. */
export interface ContinuationRecord extends NewContinuationRecord {
  /** Unix time in milliseconds. */
  readonly lastUsedAt: number;
  /** When the record is forgotten unless it is used before. Unix time in milliseconds. */
  readonly expiresAt: number;
}

/** Why a response that was known is gone. */
export type ContinuationGoneReason =
  /** Not used for the registry's time to live. */
  | "expired"
  /** Made room for others, least recently used first. */
  | "evicted"
  /** Larger than all the room there is; it was never kept. */
  | "too_large";

/** What reading a stored response found. */
export type ContinuationLookup =
  | { readonly status: "found"; readonly record: ContinuationRecord }
  | {
      readonly status: "gone";
      readonly reason: ContinuationGoneReason;
      /** The record's. To other callers it is `not_found`; null or left out: every caller learns the reason. */
      readonly owner?: string | null;
    }
  /** Never stored, deleted, or gone for so long that this too is forgotten. */
  | { readonly status: "not_found" };

/** What became of a response that was to be stored. */
export type ContinuationPutResult =
  | { readonly status: "stored"; readonly record: ContinuationRecord }
  | { readonly status: "too_large"; readonly bytes: number; readonly maxBytes: number }
  /** This registry is set to keep nothing. */
  | { readonly status: "disabled" };

/** What health and metrics show of a registry. */
export interface ContinuationRegistryStats {
  /** Which implementation this is. */
  readonly kind: string;
  /** `in_process`: a restart of the process forgets everything. */
  readonly persistence: "in_process" | "external";
  readonly ttlMs: number;
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Where stored responses are kept. A host may implement it over a store of its own; then chains outlive the process, and a
 * native thread that did not is replaced by replaying the history. The code that creates a registry also starts and closes it.
 *
 * A rejection of any method ends the request with `internal_error`: an implementation says "gone" and "not found" by value.
 */
export interface CodexNativeApiContinuationRegistry {
  /**
   * Stores a response or replaces the one of the same id, and counts as a use. A record that does not fit is refused, and so is
   * forgotten what the id stood for before, because that is no longer true.
   */
  put(record: NewContinuationRecord): Promise<ContinuationPutResult>;
  /** Reads a response, which counts as a use: its time to live starts over. */
  get(responseId: string): Promise<ContinuationLookup>;
  /** Whether the response could be read now. Not a use. */
  has(responseId: string): Promise<boolean>;
  /**
   * Forgets one response and says whether it was there. The rest of its chain stays readable one by one, but nothing that
   * descends from it can be continued: what was deleted must not reach the model again. Its descendants answer
   * `continuation_expired` and name it; itself, `continuation_not_found`.
   */
  delete(responseId: string): Promise<boolean>;
  /** From what is already known: health reads it often and must not wait. */
  stats(): ContinuationRegistryStats;
}
