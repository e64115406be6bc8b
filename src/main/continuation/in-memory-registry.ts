import { measureJsonBytes } from "../../workers/contract/measure-json.js";
import { defaults } from "../config/defaults.js";
import { ItemList } from "../history/item-list.js";
import { continuationLimits } from "./limits.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationGoneReason,
  ContinuationLookup,
  ContinuationPutResult,
  ContinuationRecord,
  ContinuationRegistryStats,
  NewContinuationRecord,
} from "./types.js";
import { UseOrder, type UseOrderNode } from "./use-order.js";

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

interface Entry extends UseOrderNode {
  readonly record: NewContinuationRecord;
  readonly bytes: number;
  /** On the wall clock. */
  lastUsedAt: number;
  /** On the growing clock. */
  expiresAtTick: number;
}

/**
 * Stored responses in this process's memory, within bounds; a restart forgets them. Every operation takes constant time: the
 * order of use is also the order of expiry, so expired entries are found at its end without a search, a few by each
 * operation and the rest by a timer between `start` and `close`. Without the timer expired entries are not served either;
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
  readonly #entries = new UseOrder<Entry>();
  readonly #tombstones: Tombstones<Tombstone>;
  #bytes = 0;
  #stopTimer: (() => void) | null = null;

  /** Throws a `RangeError` for a bound that is not a whole number, or below 0 (`ttlMs`: below 1). */
  constructor(options: InMemoryContinuationRegistryOptions = {}) {
    this.#ttlMs = readBound("ttlMs", options.ttlMs ?? defaults.continuation.ttlMs, 1);
    this.#maxEntries = readBound("maxEntries", options.maxEntries ?? defaults.continuation.maxEntries, 0);
    this.#maxBytes = readBound("maxBytes", options.maxBytes ?? defaults.continuation.maxBytes, 0);
    const maxTombstones = options.maxTombstones ?? continuationLimits.maxTombstones;
    this.#tombstones = new Tombstones(readBound("maxTombstones", maxTombstones, 0));
    this.#clock = options.clock ?? (() => performance.now());
    this.#wallClock = options.wallClock ?? (() => Date.now());
    this.#repeat = options.repeat ?? repeatUnreferenced;
  }

  /** Begins to clear expired entries away also while nobody asks for anything. May be called again. */
  start(): void {
    this.#stopTimer ??= this.#repeat(
      () => this.#prune(continuationLimits.pruneStepsPerSweep),
      Math.min(this.#ttlMs, continuationLimits.sweepIntervalMs),
    );
  }

  /** Stops the timer and forgets everything. May be called again, and so may `start`. */
  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#entries.clear();
    this.#tombstones.clear();
    this.#bytes = 0;
  }

  async put(record: NewContinuationRecord): Promise<ContinuationPutResult> {
    if (this.#maxEntries === 0 || this.#maxBytes === 0) return { status: "disabled" };
    this.#prune(continuationLimits.pruneStepsPerOperation);
    const { responseId } = record;
    const former = this.#entries.get(responseId);
    if (former !== undefined) this.#remove(former);
    const bytes = measureRecord(record);
    if (bytes > this.#maxBytes) {
      this.#bury(record, "too_large");
      return { status: "too_large", bytes, maxBytes: this.#maxBytes };
    }
    this.#makeRoom(bytes);
    const entry: Entry = {
      key: responseId,
      record,
      bytes,
      lastUsedAt: this.#wallClock(),
      expiresAtTick: this.#clock() + this.#ttlMs,
      older: null,
      newer: null,
    };
    this.#entries.add(entry);
    this.#bytes += bytes;
    this.#tombstones.delete(responseId);
    return { status: "stored", record: this.#show(entry) };
  }

  async get(responseId: string): Promise<ContinuationLookup> {
    this.#prune(continuationLimits.pruneStepsPerOperation);
    const entry = this.#find(responseId);
    if (entry === undefined) {
      const tombstone = this.#tombstones.get(responseId);
      return tombstone === undefined ? { status: "not_found" } : { status: "gone", ...tombstone };
    }
    entry.lastUsedAt = this.#wallClock();
    entry.expiresAtTick = this.#clock() + this.#ttlMs;
    this.#entries.use(entry);
    return { status: "found", record: this.#show(entry) };
  }

  async has(responseId: string): Promise<boolean> {
    return this.#find(responseId) !== undefined;
  }

  async delete(responseId: string): Promise<boolean> {
    this.#prune(continuationLimits.pruneStepsPerOperation);
    const entry = this.#find(responseId);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  stats(): ContinuationRegistryStats {
    return {
      kind: "in_memory",
      persistence: "in_process",
      ttlMs: this.#ttlMs,
      entries: this.#entries.size,
      bytes: this.#bytes,
    };
  }

  #find(responseId: string): Entry | undefined {
    const entry = this.#entries.get(responseId);
    if (entry === undefined || !this.#isExpired(entry)) return entry;
    this.#forget(entry, "expired");
    return undefined;
  }

  #isExpired(entry: Entry): boolean {
    return entry.expiresAtTick <= this.#clock();
  }

  #makeRoom(bytes: number): void {
    while (this.#entries.size >= this.#maxEntries || this.#bytes + bytes > this.#maxBytes) {
      const { oldest } = this.#entries;
      if (oldest === undefined) return;
      this.#forget(oldest, this.#isExpired(oldest) ? "expired" : "evicted");
    }
  }

  #prune(maxSteps: number): void {
    for (let step = 0; step < maxSteps; step += 1) {
      const { oldest } = this.#entries;
      if (oldest === undefined || !this.#isExpired(oldest)) return;
      this.#forget(oldest, "expired");
    }
  }

  #forget(entry: Entry, reason: ContinuationGoneReason): void {
    this.#remove(entry);
    this.#bury(entry.record, reason);
  }

  #bury({ responseId, owner }: NewContinuationRecord, reason: ContinuationGoneReason): void {
    this.#tombstones.add(responseId, { reason, ...(typeof owner === "string" && { owner }) });
  }

  #remove(entry: Entry): void {
    this.#entries.remove(entry);
    this.#bytes -= entry.bytes;
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

/**
 * Remembers keys that are gone, the last ones of them: at least half of `maxEntries` and never more. Two generations instead
 * of one queue, because a `Map` that is emptied from its front gets slow.
 */
class Tombstones<Reason> {
  readonly #maxPerGeneration: number;
  #young = new Map<string, Reason>();
  #old = new Map<string, Reason>();

  constructor(maxEntries: number) {
    this.#maxPerGeneration = Math.floor(maxEntries / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  add(key: string, reason: Reason): void {
    if (this.#maxPerGeneration === 0) return;
    this.delete(key);
    if (this.#young.size >= this.#maxPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, reason);
  }

  get(key: string): Reason | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
