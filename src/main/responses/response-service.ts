import type { LoopShare } from "../../workers/contract/pace.js";
import { OwnedRegistry, type Owner } from "../continuation/owned-registry.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type { CodexNativeApiContinuationRegistry, ContinuationRecord } from "../continuation/types.js";
import type { ResponsesTurn } from "../dialects/responses/request-to-turn.js";
import type { ResponseObject } from "../dialects/responses/response-object.js";
import { CodexNativeApiError } from "../errors.js";
import { packItems } from "../history/item-list.js";
import type { JsonObject, NativeTurnRuntime } from "../runtime/types.js";
import { EventLogs, type EventLogsBounds, eventsDropped } from "./event-logs.js";
import { findPlace, ItemIndex, identifyItem } from "./item-index.js";
import { ResponseRun, type ResponseSink, type RunEnd } from "./response-run.js";
import { RunningResponses } from "./running-responses.js";

export interface ResponseServiceOptions {
  readonly runtime: NativeTurnRuntime;
  readonly registry: CodexNativeApiContinuationRegistry;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  readonly newId: (prefix: string) => string;
  /** Of the thread that this runs on. */
  readonly loopShare: LoopShare;
  /** Bounds on the events of background responses. Default: those of `EventLogs`. */
  readonly eventLogs?: Partial<EventLogsBounds>;
}

export interface CreateContext {
  readonly routePath: string;
  readonly caller: string;
  readonly owner: Owner;
  readonly requestId: string;
}

export interface InputItemPage {
  readonly items: readonly JsonObject[];
  readonly hasMore: boolean;
}

export interface InputItemQuery {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** Id of the item before the page. */
  readonly after: string | null;
}

/** Bounds on how often logs are held against the registry, in milliseconds; between them a tenth of its time to live. */
const sweepIntervalMs = { least: 1_000, most: 60_000 } as const;

/** Responses as things that live: made, read, attached to, cancelled, deleted. Knows no HTTP. */
export class ResponseService {
  readonly #options: ResponseServiceOptions;
  readonly #running = new RunningResponses();
  readonly #logs: EventLogs;
  readonly #itemIndex = new ItemIndex();
  #closed = false;
  /** Set while there are logs. */
  #sweep: NodeJS.Timeout | null = null;

  constructor(options: ResponseServiceOptions) {
    this.#options = options;
    this.#logs = new EventLogs(options.eventLogs);
  }

  /** A response to be prepared and run. */
  create(turn: ResponsesTurn, context: CreateContext): ResponseRun {
    return new ResponseRun({
      ...this.#options,
      ...context,
      registry: this.#registryOf(context.owner),
      turn,
      itemIndex: this.#itemIndex,
      isRunning: (responseId) => this.#running.get(responseId, context.owner) !== null,
      onRun: (run) => {
        if (turn.store) this.#running.add(run);
      },
      log: turn.background ? this.#logs.create() : null,
    });
  }

  /** Memory that the events of background responses take, in bytes. */
  get eventLogBytes(): number {
    return this.#logs.bytes;
  }

  /** Runs a prepared background response, which from here on is found by its id. */
  runInBackground(run: ResponseRun, sink: ResponseSink): Promise<RunEnd> {
    if (run.log !== null) this.#logs.add(run.id, run.log);
    this.#sweepLater();
    return run.run(sink, null);
  }

  /** Throws `response_not_found`, here and below also for a response of another owner. */
  async read(responseId: string, owner: Owner): Promise<ResponseObject | JsonObject> {
    const run = this.#running.get(responseId, owner);
    if (run !== null) return run.response;
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
      throw new CodexNativeApiError(
        "invalid_request",
        "Only a response made with background: true has a stream to attach to.",
        { param: "stream" },
      );
    }
    const log = this.#logs.get(responseId);
    if (log === null) throw eventsDropped(responseId);
    log.requireKept(firstNumber);
    return log;
  }

  /** Ends a background response; one that has ended stays as it is. Throws `response_not_found`, `invalid_request`. */
  async cancel(responseId: string, owner: Owner): Promise<ResponseObject | JsonObject> {
    const run = this.#running.get(responseId, owner);
    if (run?.background === true) {
      run.cancel();
      await run.ended;
      return run.response;
    }
    const response = await this.read(responseId, owner);
    if (response.background === true) return response;
    throw new CodexNativeApiError(
      "invalid_request",
      "Only a response made with background: true can be cancelled; others end with their request.",
      { param: "response_id" },
    );
  }

  /** Ends the response first, should it run, and all who follow its events. Throws `response_not_found`. */
  async delete(responseId: string, owner: Owner): Promise<void> {
    const run = this.#running.get(responseId, owner);
    if (run !== null) {
      run.cancel();
      await run.ended;
    }
    const registry = this.#registryOf(owner);
    const lookup = await registry.get(responseId);
    // One that was cancelled is not always stored.
    const known = (await registry.delete(responseId)) || run !== null;
    if (!known) throw notFound(responseId);
    // Who is up to date reads that it was cancelled.
    if (run !== null) await new Promise((resolve) => setImmediate(resolve));
    this.#logs.delete(responseId);
    // Nobody can answer its calls any more.
    if (lookup.status !== "found") return;
    const { runtime } = this.#options;
    runtime.abandonTurn(lookup.record.nativeTurnId);
    runtime.releaseThread(lookup.record.nativeThreadId);
  }

  /** What the response was asked with, newest first unless asked otherwise. Throws `response_not_found`, `invalid_request`. */
  async listInputItems(responseId: string, owner: Owner, query: InputItemQuery): Promise<InputItemPage> {
    const run = this.#running.get(responseId, owner);
    const source =
      run === null ? await this.#find(responseId, owner) : { responseId, inputItems: run.inputItems };
    const pace = this.#options.loopShare.start();
    const items = await packItems(source.inputItems, pace);
    const isAscending = query.order === "asc";
    let place = isAscending ? -1 : items.length;
    if (query.after !== null) {
      place = await findPlace(items, query.after, responseId, pace);
      if (place < 0) {
        throw new CodexNativeApiError("invalid_request", "There is no such item to start after.", {
          param: "after",
        });
      }
    }
    const from = isAscending ? place + 1 : Math.max(0, place - query.limit);
    const to = isAscending ? Math.min(items.length, from + query.limit) : place;
    const page = items.slice(from, to).map((item, at) => identifyItem(item, responseId, from + at));
    return isAscending
      ? { items: page, hasMore: to < items.length }
      : { items: page.reverse(), hasMore: from > 0 };
  }

  /** Gives up the background responses of one owner. */
  cancelAllOf(owner: string): void {
    this.#running.cancelBackground(owner);
  }

  /** Background responses are given up; settles when they have ended. */
  async close(): Promise<void> {
    this.#running.cancelBackground();
    await this.#running.whenIdle();
    this.#closed = true;
    if (this.#sweep !== null) clearTimeout(this.#sweep);
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
    return new OwnedRegistry(this.#options.registry, owner);
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
