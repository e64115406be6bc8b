import { measureJsonBytes } from "../../workers/contract/json.js";
import { InMemoryCodexNativeApiContinuationRegistry } from "../continuation/in-memory-registry.js";
import { type OwnedRegistry, ownedRegistry } from "../continuation/owned-registry.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationPutResult,
  NewContinuationRecord,
} from "../continuation/types.js";
import { ItemList } from "../history/item-list.js";
import type { NativeTurnRuntime } from "../runtime/types.js";

/** Bounds on what connections remember. */
export interface ConnectionMemoryBounds {
  /** Of all connections together. Default: 134217728. */
  readonly totalBytes: number;
  /** Of one. Default: 33554432. */
  readonly connectionBytes: number;
  /** Responses of one, as many as a chain may have. Default: 4096. */
  readonly connectionResponses: number;
}

const defaultBounds: ConnectionMemoryBounds = {
  totalBytes: 128 * 1024 * 1024,
  connectionBytes: 32 * 1024 * 1024,
  connectionResponses: 4096,
};

/**
 * Responses that were not to be stored, for the connection that they were made on: there alone, and for as long as it is open, they
 * can be continued. They never reach the registry, which may be a store of the host's.
 */
export class ConnectionMemories {
  readonly #runtime: NativeTurnRuntime;
  readonly #bounds: ConnectionMemoryBounds;
  /** No timer clears what is expired: each connection ends, and takes what is its own along. */
  readonly #records: InMemoryCodexNativeApiContinuationRegistry;
  #opened = 0;

  constructor(runtime: NativeTurnRuntime, bounds: Partial<ConnectionMemoryBounds> = {}) {
    this.#runtime = runtime;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#records = new InMemoryCodexNativeApiContinuationRegistry({
      maxBytes: this.#bounds.totalBytes,
      maxTombstones: 0,
    });
  }

  /** What all of them take, in bytes. */
  get bytes(): number {
    return this.#records.stats().bytes;
  }

  open(): ConnectionMemory {
    this.#opened += 1;
    return new ConnectionMemory(this.#records, `connection ${this.#opened}`, this.#bounds, this.#runtime);
  }
}

interface KeptResponse {
  readonly bytes: number;
  readonly nativeThreadId: string;
  readonly nativeTurnId: string;
}

/** What one connection remembers. */
export class ConnectionMemory {
  readonly #records: OwnedRegistry;
  readonly #bounds: ConnectionMemoryBounds;
  readonly #runtime: NativeTurnRuntime;
  /** What each takes and where it ran, the oldest first. Not the records: all of them together have a bound of their own. */
  readonly #kept = new Map<string, KeptResponse>();
  #bytes = 0;
  #isClosed = false;

  constructor(
    records: CodexNativeApiContinuationRegistry,
    key: string,
    bounds: ConnectionMemoryBounds,
    runtime: NativeTurnRuntime,
  ) {
    // A key stands where the name of a token would: no connection reads another's.
    this.#records = ownedRegistry(records, key);
    this.#bounds = bounds;
    this.#runtime = runtime;
  }

  /** Those of this connection, and behind them the stored ones. */
  over(stored: OwnedRegistry): OwnedRegistry {
    return {
      ...stored,
      get: async (responseId) => {
        const own = await this.#records.get(responseId);
        return own.status === "found" ? own : stored.get(responseId);
      },
    };
  }

  /** The oldest make room. */
  async put(given: NewContinuationRecord): Promise<ContinuationPutResult> {
    if (this.#isClosed) return { status: "disabled" };
    // It cannot be read back, so its answer need not be kept.
    const record = { ...given, response: null };
    const bytes = measure(record);
    const { connectionBytes: maxBytes, connectionResponses } = this.#bounds;
    if (bytes > maxBytes) return { status: "too_large", bytes, maxBytes };
    for (const oldestId of this.#kept.keys()) {
      if (this.#bytes + bytes <= maxBytes && this.#kept.size < connectionResponses) break;
      await this.#forget(oldestId);
    }
    // It may have closed meanwhile, and then nobody would clear what comes now.
    if (this.#isClosed) return { status: "disabled" };
    const { responseId, nativeThreadId, nativeTurnId } = record;
    this.#kept.set(responseId, { bytes, nativeThreadId, nativeTurnId });
    this.#bytes += bytes;
    return this.#records.put(record);
  }

  /** Forgets all of it: no caller can name these responses any more, so nobody continues their threads and turns. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [responseId, { nativeThreadId, nativeTurnId }] of this.#kept) {
      this.#runtime.abandonTurn(nativeTurnId);
      this.#runtime.releaseThread(nativeThreadId);
      await this.#forget(responseId);
    }
  }

  async #forget(responseId: string): Promise<void> {
    this.#bytes -= this.#kept.get(responseId)?.bytes ?? 0;
    this.#kept.delete(responseId);
    await this.#records.delete(responseId);
  }
}

function measure({ inputItems, outputItems }: NewContinuationRecord): number {
  return ItemList.of(inputItems).bytes + measureJsonBytes(outputItems);
}
