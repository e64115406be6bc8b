import { setImmediate as nextRound } from "node:timers/promises";
import type { LoopShare } from "../../workers/contract/pace.js";
import { mayUse, type OwnedRegistry, type Owner, ownedRegistry } from "../continuation/owned-registry.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type { CodexNativeApiContinuationRegistry, ContinuationRecord } from "../continuation/types.js";
import type { Dialect, DialectTurn } from "../dialects/dialect.js";
import { fieldError } from "../dialects/requests/schema-fault.js";
import { CodexNativeApiError } from "../errors.js";
import type { JsonObject, NativeTurnRuntime } from "../runtime/types.js";
import { ChoicesExchange } from "./choices-exchange.js";
import {
  ConnectionMemories,
  type ConnectionMemory,
  type ConnectionMemoryBounds,
} from "./connection-memory.js";
import { EventLogs, type EventLogsBounds, eventsDropped } from "./event-logs.js";
import {
  type EventSink,
  Exchange,
  type ExchangeEnd,
  type ExchangeOptions,
  type RequestExchange,
} from "./exchange.js";
import { ItemIndex, type ItemPage, type ItemQuery, pageItems } from "./item-index.js";
import { ParkedHistories } from "./parked-histories.js";

export interface ExchangesOptions {
  readonly runtime: NativeTurnRuntime;
  readonly registry: CodexNativeApiContinuationRegistry;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  readonly newId: (prefix: string) => string;
  /** Whether a stream ends with `[DONE]` also where OpenAI's does not. Default: true. */
  readonly streamDone?: boolean;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  /** Of the thread that this runs on. */
  readonly loopShare: LoopShare;
  /** Folders from which the turns of chat bridges may read files. Default: none. */
  readonly readableRoots?: readonly string[];
  /** Bounds on the events of background responses. Default: those of `EventLogs`. */
  readonly eventLogs?: Partial<EventLogsBounds>;
  /** Bounds on what connections remember. Default: those of `ConnectionMemories`. */
  readonly connectionMemory?: Partial<ConnectionMemoryBounds>;
}

/** Whose request it is. */
export interface Asker {
  /** For fairness between callers. */
  readonly caller: string;
  readonly owner: Owner;
  readonly requestId: string;
  /** What the connection remembers that the request came on. Default: nothing. */
  readonly memory?: ConnectionMemory;
  /** Called whenever the turn has come a step further. Default: not called. */
  readonly onProgress?: () => void;
}

/** Bounds on how often logs are held against the registry, in milliseconds; between them a tenth of its time to live. */
const sweepIntervalMs = { least: 1_000, most: 60_000 } as const;

/**
 * All exchanges of a server, and what outlives them: stored answers to be read, attached to, cancelled and deleted, the events of
 * background ones, and what parked turns have seen. Knows no HTTP.
 */
export class Exchanges {
  readonly #options: ExchangesOptions;
  /** Those under way whose answers will be stored, by id. */
  readonly #running = new Map<string, Exchange>();
  readonly #logs: EventLogs;
  readonly #itemIndex = new ItemIndex();
  readonly #parkedHistories = new ParkedHistories();
  readonly #memories: ConnectionMemories;
  #closed = false;
  /** Set while there are logs. */
  #sweep: NodeJS.Timeout | null = null;

  constructor(options: ExchangesOptions) {
    this.#options = options;
    this.#logs = new EventLogs(options.eventLogs);
    this.#memories = new ConnectionMemories(options.runtime, options.connectionMemory);
  }

  /** To be prepared and run. */
  create(dialect: Dialect, turn: DialectTurn, asker: Asker): RequestExchange {
    const stored = this.#registryOf(asker.owner);
    const { memory = null } = asker;
    const options: ExchangeOptions = {
      ...this.#options,
      ...asker,
      registry: memory?.over(stored) ?? stored,
      memory,
      dialect,
      turn,
      itemIndex: this.#itemIndex,
      parkedHistories: this.#parkedHistories,
      isRunning: (responseId) => this.#findRunning(responseId, asker.owner) !== null,
      onRun: (exchange) => {
        if (turn.store) this.#noteRunning(exchange);
      },
      log: turn.background ? this.#logs.create() : null,
    };
    return (turn.choices ?? 1) > 1 ? new ChoicesExchange(options) : new Exchange(options);
  }

  /** For a connection that carries many requests. Its owner closes it. */
  openMemory(): ConnectionMemory {
    return this.#memories.open();
  }

  /** Memory that the events of background responses take, in bytes. */
  get eventLogBytes(): number {
    return this.#logs.bytes;
  }

  /** Runs a prepared exchange whose answer is made in the background, and from here on found by its id. */
  runInBackground(exchange: RequestExchange, sink: EventSink): Promise<ExchangeEnd> {
    if (exchange.log !== null) this.#logs.add(exchange.id, exchange.log);
    this.#sweepLater();
    return exchange.run(sink, null);
  }

  /** Throws `response_not_found`, here and below also for a response of another owner. */
  async read(responseId: string, owner: Owner): Promise<JsonObject> {
    const running = this.#findRunning(responseId, owner);
    if (running !== null) return { ...running.answer.body };
    const { response } = await this.#find(responseId, owner);
    if (response === null) throw notFound(responseId);
    return response;
  }

  /**
   * The events of a background response, from this number on to be read at once. Throws `response_not_found`, `invalid_request` for
   * one that was not made in the background, `continuation_expired` for events that are no longer kept.
   */
  async attach(responseId: string, owner: Owner, firstNumber: number): Promise<ResponseEventLog> {
    const response = await this.read(responseId, owner);
    if (response.background !== true) {
      throw fieldError("stream", "only a response made with background: true has a stream to attach to");
    }
    const log = this.#logs.get(responseId);
    if (log === null) throw eventsDropped(responseId);
    log.requireKept(firstNumber);
    return log;
  }

  /** Ends a background response; one that has ended stays as it is. Throws `response_not_found`, `invalid_request`. */
  async cancel(responseId: string, owner: Owner): Promise<JsonObject> {
    const running = this.#findRunning(responseId, owner);
    if (running?.turn.background === true) {
      running.cancel();
      await running.ended;
      return { ...running.answer.body };
    }
    const response = await this.read(responseId, owner);
    if (response.background === true) return response;
    const message =
      "only a response made with background: true can be cancelled, others end with their request";
    throw fieldError("response_id", message);
  }

  /** Ends the response first, should it run, and all who follow its events. Throws `response_not_found`. */
  async delete(responseId: string, owner: Owner): Promise<void> {
    const running = this.#findRunning(responseId, owner);
    if (running !== null) {
      running.cancel();
      await running.ended;
    }
    const registry = this.#registryOf(owner);
    const lookup = await registry.get(responseId);
    // One that was cancelled is not always stored.
    const known = (await registry.delete(responseId)) || running !== null;
    if (!known) throw notFound(responseId);
    // Who is up to date reads that it was cancelled.
    if (running !== null) await nextRound();
    this.#logs.delete(responseId);
    // No one can answer its calls from now on.
    if (lookup.status !== "found") return;
    const { runtime } = this.#options;
    runtime.abandonTurn(lookup.record.nativeTurnId);
    runtime.releaseThread(lookup.record.nativeThreadId);
  }

  /** What the response was asked with, newest first unless asked otherwise. Throws `response_not_found`, `invalid_request`. */
  async listInputItems(responseId: string, owner: Owner, query: ItemQuery): Promise<ItemPage> {
    const running = this.#findRunning(responseId, owner);
    const { inputItems } = running ?? (await this.#find(responseId, owner));
    return pageItems({ responseId, inputItems }, query, this.#options.loopShare.start());
  }

  /** Cancels the background responses of one owner. */
  cancelAllOf(owner: string): void {
    for (const exchange of this.#inBackground()) if (exchange.owner === owner) exchange.cancel();
  }

  /** Cancels the background responses; the others end with their requests. Settles when the former have ended. */
  async close(): Promise<void> {
    const given = this.#inBackground();
    for (const exchange of given) exchange.cancel();
    await Promise.all(given.map(({ ended }) => ended));
    this.#closed = true;
    if (this.#sweep !== null) clearTimeout(this.#sweep);
  }

  #noteRunning(exchange: Exchange): void {
    this.#running.set(exchange.id, exchange);
    void exchange.ended.then(() => this.#running.delete(exchange.id));
  }

  #findRunning(responseId: string, caller: Owner): Exchange | null {
    const exchange = this.#running.get(responseId);
    return exchange !== undefined && mayUse(exchange.owner, caller) ? exchange : null;
  }

  #inBackground(): readonly Exchange[] {
    return [...this.#running.values()].filter(({ turn }) => turn.background);
  }

  /** A log lives as long as its response is stored, and only the registry knows how long that is. */
  #sweepLater(): void {
    if (this.#sweep !== null || this.#closed || this.#logs.size === 0) return;
    // A host's registry may have any number here.
    const tenthMs = this.#options.registry.stats().ttlMs / 10 || sweepIntervalMs.most;
    const delayMs = Math.min(Math.max(tenthMs, sweepIntervalMs.least), sweepIntervalMs.most);
    this.#sweep = setTimeout(() => void this.#dropForgottenLogs(), delayMs);
    this.#sweep.unref();
  }

  async #dropForgottenLogs(): Promise<void> {
    try {
      for (const responseId of this.#logs.ended) {
        if (!(await this.#options.registry.has(responseId))) this.#logs.delete(responseId);
      }
    } catch {
      // A host's store that fails: what should go is bounded all the same, and the next sweep asks again.
    }
    this.#sweep = null;
    this.#sweepLater();
  }

  #registryOf(owner: Owner): OwnedRegistry {
    return ownedRegistry(this.#options.registry, owner);
  }

  async #find(responseId: string, owner: Owner): Promise<ContinuationRecord> {
    const lookup = await this.#registryOf(owner).get(responseId);
    if (lookup.status === "found") return lookup.record;
    throw notFound(responseId);
  }
}

function notFound(responseId: string): CodexNativeApiError {
  return new CodexNativeApiError(
    "response_not_found",
    `Response '${responseId.slice(0, 64)}' is not stored here.`,
    {
      param: "response_id",
    },
  );
}
