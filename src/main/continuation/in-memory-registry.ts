import { LRUCache } from "lru-cache";
import { measureJsonBytes } from "../../workers/contract/json.js";
import { defaults } from "../config/defaults.js";
import { ItemList } from "../history/item-list.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationGoneReason,
  ContinuationLookup,
  ContinuationPutResult,
  ContinuationRecord,
  ContinuationRegistryStats,
  NewContinuationRecord,
} from "./types.js";

/** Bounds that are not configuration. */
const limits = {
  /** Ids remembered of responses that are gone, so that their owners learn why. One takes about 100 bytes. */
  maxTombstones: 10_000,
  /** Expired entries that one operation clears: more than the one that it may add. */
  pruneStepsPerOperation: 2,
  /** Expired entries that one run of the timer clears, so that it never holds up the event loop. */
  pruneStepsPerSweep: 1000,
  sweepIntervalMs: 10_000,
} as const;

/** Bounds and clocks of the registry in memory. */
export interface InMemoryContinuationRegistryOptions {
  /** A response not used for this long is forgotten. Default: 1800000, half an hour. */
  readonly ttlMs?: number;
  /** 0 keeps nothing. Default: 10000. */
  readonly maxEntries?: number;
  /** Bound on the records' JSON together; many small values take several times as much memory. 0 keeps nothing. Default: 268435456. */
  readonly maxBytes?: number;
  /** Ids of forgotten responses that are remembered. Default: 10000. */
  readonly maxTombstones?: number;
  /** Milliseconds that only grow; decides what is expired, so that a wall clock that jumps expires nothing. Default: the process's. */
  readonly clock?: () => number;
  /** Unix time in milliseconds, for the times in records. Default: the system's. */
  readonly wallClock?: () => number;
  /** Runs a task again and again until the function it returns is called. Default: an interval that keeps no process alive. */
  readonly repeat?: (task: () => void, intervalMs: number) => () => void;
}

/** What is remembered of a record that is gone. */
type Tombstone = Omit<Extract<ContinuationLookup, { readonly status: "gone" }>, "status">;

interface Entry {
  readonly record: NewContinuationRecord;
  /** On the wall clock. */
  lastUsedAt: number;
  /** On the growing clock. */
  expiresAtTick: number;
}

/**
 * Stored responses in this process's memory, within bounds; a restart forgets them. Every operation takes constant time: the
 * order of use is also the order of expiry, so expired entries are found at its end without a search. Each operation clears a few
 * of them, and a timer between `start` and `close` clears the rest. Without the timer expired entries are not served either;
 * they only keep their room for longer.
 *
 * A record keeps its own items only. The history before it belongs to the records it continues.
 */
export class InMemoryCodexNativeApiContinuationRegistry implements CodexNativeApiContinuationRegistry {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #clock: () => number;
  readonly #wallClock: () => number;
  readonly #repeat: (task: () => void, intervalMs: number) => () => void;
  /** By response id, in the order of their use. The size of an entry is the bytes of its record. */
  readonly #entries: LRUCache<string, Entry>;
  /** Null where none are to be kept. */
  readonly #tombstones: LRUCache<string, Tombstone> | null;
  #stopTimer: (() => void) | null = null;

  /** Throws a `RangeError` for a bound that is not a whole number, or below 0 (`ttlMs`: below 1). */
  constructor(options: InMemoryContinuationRegistryOptions = {}) {
    this.#ttlMs = readBound("ttlMs", options.ttlMs ?? defaults.continuation.ttlMs, 1);
    this.#maxEntries = readBound("maxEntries", options.maxEntries ?? defaults.continuation.maxEntries, 0);
    this.#maxBytes = readBound("maxBytes", options.maxBytes ?? defaults.continuation.maxBytes, 0);
    const maxTombstones = readBound("maxTombstones", options.maxTombstones ?? limits.maxTombstones, 0);
    // Bounded by size and not by count: for a count, the cache sets aside all its memory in advance.
    this.#entries = new LRUCache({ maxSize: Math.max(1, this.#maxBytes) });
    this.#tombstones =
      maxTombstones === 0 ? null : new LRUCache({ maxSize: maxTombstones, sizeCalculation: () => 1 });
    this.#clock = options.clock ?? (() => performance.now());
    this.#wallClock = options.wallClock ?? (() => Date.now());
    this.#repeat = options.repeat ?? repeatUnreferenced;
  }

  /** Begins to clear expired entries also while no request comes. May be called again. */
  start(): void {
    this.#stopTimer ??= this.#repeat(
      () => this.#prune(limits.pruneStepsPerSweep),
      Math.min(this.#ttlMs, limits.sweepIntervalMs),
    );
  }

  /** Stops the timer and forgets everything. May be called again, and so may `start`. */
  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#entries.clear();
    this.#tombstones?.clear();
  }

  async put(record: NewContinuationRecord): Promise<ContinuationPutResult> {
    if (this.#maxEntries === 0 || this.#maxBytes === 0) return { status: "disabled" };
    this.#prune(limits.pruneStepsPerOperation);
    const { responseId } = record;
    this.#entries.delete(responseId);
    const bytes = measureRecord(record);
    if (bytes > this.#maxBytes) {
      this.#bury(record, "too_large");
      return { status: "too_large", bytes, maxBytes: this.#maxBytes };
    }
    this.#makeRoom(bytes);
    const entry: Entry = { record, ...this.#useNow() };
    this.#entries.set(responseId, entry, { size: bytes });
    this.#tombstones?.delete(responseId);
    return { status: "stored", record: this.#show(entry) };
  }

  async get(responseId: string): Promise<ContinuationLookup> {
    this.#prune(limits.pruneStepsPerOperation);
    const entry = this.#find(responseId);
    if (entry === undefined) {
      const tombstone = this.#tombstones?.peek(responseId);
      return tombstone === undefined ? { status: "not_found" } : { status: "gone", ...tombstone };
    }
    Object.assign(entry, this.#useNow());
    this.#entries.get(responseId);
    return { status: "found", record: this.#show(entry) };
  }

  async has(responseId: string): Promise<boolean> {
    return this.#find(responseId) !== undefined;
  }

  async delete(responseId: string): Promise<boolean> {
    this.#prune(limits.pruneStepsPerOperation);
    return this.#find(responseId) !== undefined && this.#entries.delete(responseId);
  }

  stats(): ContinuationRegistryStats {
    return {
      kind: "in_memory",
      persistence: "in_process",
      ttlMs: this.#ttlMs,
      entries: this.#entries.size,
      bytes: this.#entries.calculatedSize,
    };
  }

  #find(responseId: string): Entry | undefined {
    const entry = this.#entries.peek(responseId);
    if (entry === undefined || !this.#isExpired(entry)) return entry;
    this.#forget(entry, "expired");
    return undefined;
  }

  #useNow(): Pick<Entry, "lastUsedAt" | "expiresAtTick"> {
    return { lastUsedAt: this.#wallClock(), expiresAtTick: this.#clock() + this.#ttlMs };
  }

  #isExpired(entry: Entry): boolean {
    return entry.expiresAtTick <= this.#clock();
  }

  get #oldest(): Entry | undefined {
    const [oldest] = this.#entries.rvalues();
    return oldest;
  }

  /** By hand and not by the cache, which does not say whether what it drops had expired. */
  #makeRoom(bytes: number): void {
    const entries = this.#entries;
    while (entries.size >= this.#maxEntries || entries.calculatedSize + bytes > this.#maxBytes) {
      const oldest = this.#oldest;
      if (oldest === undefined) return;
      this.#forget(oldest, this.#isExpired(oldest) ? "expired" : "evicted");
    }
  }

  #prune(maxSteps: number): void {
    for (let step = 0; step < maxSteps; step += 1) {
      const oldest = this.#oldest;
      if (oldest === undefined || !this.#isExpired(oldest)) return;
      this.#forget(oldest, "expired");
    }
  }

  #forget({ record }: Entry, reason: ContinuationGoneReason): void {
    this.#entries.delete(record.responseId);
    this.#bury(record, reason);
  }

  #bury({ responseId, owner }: NewContinuationRecord, reason: ContinuationGoneReason): void {
    this.#tombstones?.set(responseId, { reason, ...(typeof owner === "string" && { owner }) });
  }

  #show({ record, lastUsedAt }: Entry): ContinuationRecord {
    return { ...record, lastUsedAt, expiresAt: lastUsedAt + this.#ttlMs };
  }
}

function measureRecord(record: NewContinuationRecord): number {
  const { inputItems } = record;
  if (!(inputItems instanceof ItemList)) return measureJsonBytes(record);
  return measureJsonBytes({ ...record, inputItems: [] }) - "[]".length + inputItems.bytes;
}

function readBound(name: string, value: number, smallest: number): number {
  if (Number.isSafeInteger(value) && value >= smallest) return value;
  throw new RangeError(`${name} must be a whole number of at least ${smallest}.`);
}

function repeatUnreferenced(task: () => void, intervalMs: number): () => void {
  const timer = setInterval(task, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
