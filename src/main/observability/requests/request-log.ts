import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { waitWithin } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import { hasMethods } from "../../option-shapes.js";
import { InMemoryCodexNativeApiRequestStore } from "./in-memory-request-store.js";
import type {
  CodexNativeApiRequestStore,
  RequestEntry,
  RequestListQuery,
  RequestPage,
  RequestViewer,
  UsageReport,
} from "./types.js";

/** Whether a host gave one. */
export function isRequestStore(value: unknown): boolean {
  return hasMethods(value, "begin", "update", "end", "list", "get", "usage");
}

/** What became of a request. */
export type RequestChange = "started" | "updated" | "ended";

/** Is told of every change, in order, at once. Must be quick. */
export type RequestListener = (change: RequestChange, entry: RequestEntry) => void;

/** Writes that a slow store may have before it; more are lost. */
const maxPendingWrites = 1_000;
/** How long a reader waits for the store, in milliseconds. */
const readTimeoutMs = 5_000;
/** Ids that are remembered at least, so that no two entries share one; of a log in memory, as many as it may keep. */
const minKnownIds = 1_000;

/**
 * The request log of a service, over the store that keeps it. Whatever the store does, no request waits for it or fails for it. Listeners
 * hear of every change, whether or not the store takes it.
 */
export class RequestLog {
  readonly #store: CodexNativeApiRequestStore;
  readonly #logger: Logger | undefined;
  readonly #listeners = new Set<RequestListener>();
  readonly #knownIds: number;
  /** Those of the last entries, and of as many before them: together at most twice `#knownIds`. */
  #ids = new Set<string>();
  #olderIds: ReadonlySet<string> = new Set();
  readonly #logged = new Set<string>();
  #pendingWrites = 0;

  constructor(store: CodexNativeApiRequestStore, logger?: Logger) {
    this.#store = store;
    this.#logger = logger;
    const kept = store instanceof InMemoryCodexNativeApiRequestStore ? store.maxEntries : 0;
    this.#knownIds = Math.max(kept, minKnownIds);
  }

  /** The id of an entry: callers choose their request ids, and may choose one twice. */
  idFor(requestId: string): string {
    const isTaken = this.#ids.has(requestId) || this.#olderIds.has(requestId);
    const id = isTaken ? `${requestId}:${randomUUID().slice(0, 8)}` : requestId;
    this.#ids.add(id);
    if (this.#ids.size >= this.#knownIds) {
      this.#olderIds = this.#ids;
      this.#ids = new Set();
    }
    return id;
  }

  begin(entry: RequestEntry): void {
    this.#write(() => this.#store.begin(entry));
    this.#tell("started", entry);
  }

  update(entry: RequestEntry): void {
    this.#write(() => this.#store.update(entry));
    this.#tell("updated", entry);
  }

  end(entry: RequestEntry): void {
    this.#write(() => this.#store.end(entry));
    this.#tell("ended", entry);
  }

  /** Null: there is no entry of the viewer's with the id `after`. Here and below: throws `request_log_unavailable`. */
  async list(query: RequestListQuery): Promise<RequestPage | null> {
    return this.#read(() => this.#store.list(query));
  }

  /** Null where there is none that the viewer may see. */
  async get(id: string, viewer: RequestViewer): Promise<RequestEntry | null> {
    return this.#read(() => this.#store.get(id, viewer));
  }

  async usage(viewer: RequestViewer): Promise<UsageReport> {
    return this.#read(() => this.#store.usage(viewer));
  }

  /** Returns the function that unsubscribes. A listener that throws is logged once, and hears of what follows. */
  subscribe(listener: RequestListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write(write: () => void | Promise<void>): void {
    if (this.#pendingWrites >= maxPendingWrites) return this.#logOnce("write", "the store falls behind");
    try {
      const written = write();
      if (written === undefined) return;
      this.#pendingWrites += 1;
      void Promise.resolve(written)
        .catch((error: unknown) => this.#logOnce("write", error))
        .finally(() => {
          this.#pendingWrites -= 1;
        });
    } catch (error) {
      this.#logOnce("write", error);
    }
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await waitWithin(read(), { timeoutMs: readTimeoutMs }, () => {
        throw new Error(`the store did not answer within ${readTimeoutMs} ms`);
      });
    } catch (cause) {
      this.#logOnce("read", cause);
      const message = "The store of the request log failed, or did not answer in time.";
      throw new CodexNativeApiError("request_log_unavailable", message, { cause });
    }
  }

  #tell(change: RequestChange, entry: RequestEntry): void {
    for (const listener of this.#listeners) {
      try {
        listener(change, entry);
      } catch (error) {
        this.#logOnce("listener", error);
      }
    }
  }

  /** A store that fails may fail for every request. */
  #logOnce(what: "write" | "read" | "listener", err: unknown): void {
    if (this.#logged.has(what)) return;
    this.#logged.add(what);
    this.#logger?.error(
      { event: "request_log.failed", what, err },
      "the request log failed; this is logged once, and requests go on without it",
    );
  }
}
