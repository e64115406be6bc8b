import { defaults } from "../../config/defaults.js";
import type {
  CodexNativeApiRequestStore,
  RequestEntry,
  RequestListQuery,
  RequestPage,
  RequestViewer,
  UsageReport,
} from "./types.js";
import { UsageTotals } from "./usage-totals.js";

/** Bounds of the request log in memory. */
export interface InMemoryRequestStoreOptions {
  /** 0 keeps no entry; usage is counted all the same. Default: 1000. */
  readonly maxEntries?: number;
  /** Bound on the memory that entries take together, about. Default: 16777216. */
  readonly maxBytes?: number;
  /** Unix time in milliseconds. Default: the system's. */
  readonly wallClock?: () => number;
}

interface Kept {
  readonly entry: RequestEntry;
  readonly bytes: number;
}

/** Requests that asked for no turn, or were refused before that was known, take at most this part: anybody can make many of them. */
const strayShare = 0.1;
/** An entry without its long texts, in bytes. */
const entryBytes = 2_048;
/** A page ends before it is larger, about: it is made in one step of the event loop. */
const maxPageBytes = 8 * 1024 * 1024;

/**
 * The last requests in this process's memory, within bounds; the oldest make room, be they running or not. A restart forgets all of it.
 * A write takes constant time, a read one step for each entry.
 */
export class InMemoryCodexNativeApiRequestStore implements CodexNativeApiRequestStore {
  /** As the options have it. */
  readonly maxEntries: number;
  readonly #maxBytes: number;
  /** By id, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Ids of those that asked for no turn, the oldest first. */
  readonly #strays = new Set<string>();
  readonly #usage: UsageTotals;
  #bytes = 0;

  /** Throws a `RangeError` for a bound that is not a whole number of at least 0. */
  constructor(options: InMemoryRequestStoreOptions = {}) {
    this.maxEntries = readBound("maxEntries", options.maxEntries ?? defaults.requests.maxEntries);
    this.#maxBytes = readBound("maxBytes", options.maxBytes ?? defaults.requests.maxBytes);
    this.#usage = new UsageTotals(options.wallClock ?? Date.now);
  }

  begin(entry: RequestEntry): void {
    this.#drop(entry.id);
    if (entry.dialect === null) {
      this.#strays.add(entry.id);
      const most = Math.ceil(this.maxEntries * strayShare);
      if (this.#strays.size > most) this.#dropOldest(this.#strays);
    }
    this.#keep(entry);
  }

  update(entry: RequestEntry): void {
    if (this.#kept.has(entry.id)) this.#keep(entry);
  }

  end(entry: RequestEntry): void {
    this.update(entry);
    if (entry.dialect !== null) this.#usage.add(entry);
  }

  async list(query: RequestListQuery): Promise<RequestPage | null> {
    const { viewer, limit, after } = query;
    if (after !== null && this.#find(after, viewer) === null) return null;
    const entries: RequestEntry[] = [];
    let isBehind = after === null;
    let bytes = 0;
    for (const kept of [...this.#kept.values()].reverse()) {
      const { entry } = kept;
      if (isBehind && isSeenBy(entry, viewer) && matches(entry, query)) {
        bytes += kept.bytes;
        if (entries.length === limit || (bytes > maxPageBytes && entries.length > 0)) {
          return { entries, hasMore: true };
        }
        entries.push(entry);
      }
      if (entry.id === after) isBehind = true;
    }
    return { entries, hasMore: false };
  }

  async get(id: string, viewer: RequestViewer): Promise<RequestEntry | null> {
    return this.#find(id, viewer);
  }

  async usage(viewer: RequestViewer): Promise<UsageReport> {
    return this.#usage.report(viewer);
  }

  /** Entries that are kept, and the memory that they take, about. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#kept.size, bytes: this.#bytes };
  }

  #find(id: string, viewer: RequestViewer): RequestEntry | null {
    const entry = this.#kept.get(id)?.entry ?? null;
    return entry !== null && isSeenBy(entry, viewer) ? entry : null;
  }

  /** In its old place, where there is one. */
  #keep(entry: RequestEntry): void {
    const bytes = measure(entry);
    this.#bytes += bytes - (this.#kept.get(entry.id)?.bytes ?? 0);
    this.#kept.set(entry.id, { entry, bytes });
    while (this.#kept.size > this.maxEntries || this.#bytes > this.#maxBytes) {
      if (!this.#dropOldest(this.#kept.keys())) return;
    }
  }

  #dropOldest(ids: Iterable<string>): boolean {
    for (const id of ids) {
      this.#drop(id);
      return true;
    }
    return false;
  }

  #drop(id: string): void {
    this.#bytes -= this.#kept.get(id)?.bytes ?? 0;
    this.#kept.delete(id);
    this.#strays.delete(id);
  }
}

function isSeenBy({ caller }: RequestEntry, viewer: RequestViewer): boolean {
  return viewer === null || caller === viewer;
}

function matches(entry: RequestEntry, { route, model, outcome, code, caller }: RequestListQuery): boolean {
  if (route !== null && entry.route !== route) return false;
  if (model !== null && entry.model !== model && entry.requestedModel !== model) return false;
  if (outcome !== null && entry.outcome !== outcome) return false;
  if (code !== null && entry.error?.code !== code) return false;
  return caller === null || entry.caller === caller;
}

/** Texts take two bytes a character. */
function measure({ content, error }: RequestEntry): number {
  const texts = [content?.input, content?.output, content?.metadata, error?.message];
  return texts.reduce((sum, text) => sum + 2 * (text?.length ?? 0), entryBytes);
}

function readBound(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} must be a whole number of at least 0.`);
}
