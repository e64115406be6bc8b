/** What is sent to those who follow the service's events (`GET /v1/events`): the state whenever it has changed, and requests. */
import type { IncomingHttpHeaders } from "node:http";
import { defaultTokenName, type NamedToken } from "../config/named-token.js";
import { CodexNativeApiError } from "../errors.js";
import type { StateFacts } from "./state-report.js";
import type { EventsDropped, StateEvent } from "./wire-feed.js";

export const eventFeedBounds = {
  maxReaders: 16,
  /** Most text that waits for a slow reader, in characters, beside what its socket holds. What comes then is dropped. */
  maxQueuedChars: 256 * 1024,
  /** Least time between two states. */
  stateIntervalMs: 1_000,
} as const;

/** What became of a request. */
export type RequestEventName = "request.started" | "request.updated" | "request.ended";

/** Hears of every request of every caller. `data` is made only where somebody may see it. */
export type RequestListener = (name: RequestEventName, caller: string | null, data: () => object) => void;

export interface EventFeedOptions {
  /** From what is known: never asks Codex. */
  readonly describeState: () => StateFacts;
  /** Called while there are readers; returns the function that unsubscribes. */
  readonly subscribe: (listener: RequestListener) => () => void;
  /** The reader's token under the rules in force; null where none is needed. Throws where they would not let it in. */
  readonly admit: (reader: ReaderRequest) => Pick<NamedToken, "name"> | null;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  /** Default: that of `eventFeedBounds`. */
  readonly stateIntervalMs?: number;
}

/** Where a reader's events go. A returned promise settles when the client has taken enough, or has left. */
export interface FeedWriter {
  write(text: string): undefined | Promise<void>;
  end(): Promise<void>;
}

/** Of the request that a reader came with: a reload of the rules asks again. */
export interface ReaderRequest {
  readonly headers: IncomingHttpHeaders;
  readonly localAddress: string | undefined;
}

export interface NewReader extends ReaderRequest {
  readonly writer: FeedWriter;
  /** Name of its token; null where none is needed. */
  readonly tokenName: string | null;
}

/**
 * All readers of a server. Each event is made once, whoever reads it, and nothing is made without a reader: there is no timer then, and
 * no subscription.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #readers = new Set<EventReader>();
  readonly #startedAtMs: number;
  #lastId = 0;
  /** As JSON: what all readers know. */
  #lastFacts = "";
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | null = null;
  #isClosed = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock();
  }

  get size(): number {
    return this.#readers.size;
  }

  /** @throws CodexNativeApiError where there is no room for one more reader. */
  requireRoom(): void {
    const { maxReaders } = eventFeedBounds;
    if (this.#readers.size < maxReaders) return;
    const message = `${maxReaders} readers follow the events of this service already, which is the most there may be.`;
    throw new CodexNativeApiError("event_readers_exceeded", message, { retryAfterMs: 5_000 });
  }

  /** Begins with the state of now. The returned function removes the reader; its stream is the caller's to end. */
  add(newReader: NewReader): () => void {
    const facts = this.#options.describeState();
    const reader = new EventReader(newReader, () => this.#encodeState());
    this.#watch(facts);
    this.#readers.add(reader);
    reader.send(this.#encodeState(facts));
    if (this.#isClosed) this.#end(reader);
    return () => this.#remove(reader);
  }

  /** Ends the streams of those that the rules in force would not let in, or would take for another: what each may see was settled as it came. */
  recheck(): void {
    for (const reader of this.#readers) if (!this.#isStill(reader)) this.#end(reader);
  }

  /** Ends all streams, each with the state of now as its last event. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#readers.size === 0) return;
    const text = this.#encodeState();
    for (const reader of this.#readers) {
      reader.send(text);
      this.#end(reader);
    }
  }

  #watch(facts: StateFacts): void {
    if (this.#timer !== undefined) return;
    this.#lastFacts = JSON.stringify(facts);
    const { stateIntervalMs = eventFeedBounds.stateIntervalMs, subscribe } = this.#options;
    this.#timer = setInterval(() => this.#sendChangedState(), stateIntervalMs).unref();
    this.#unsubscribe = subscribe(this.#sendRequest);
  }

  #isStill({ request, tokenName }: EventReader): boolean {
    try {
      return (this.#options.admit(request)?.name ?? null) === tokenName;
    } catch {
      return false;
    }
  }

  #end(reader: EventReader): void {
    this.#remove(reader);
    void reader.end();
  }

  #remove(reader: EventReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #sendChangedState(): void {
    const facts = this.#options.describeState();
    const json = JSON.stringify(facts);
    if (json === this.#lastFacts) return;
    this.#lastFacts = json;
    const text = this.#encodeState(facts);
    for (const reader of this.#readers) reader.send(text);
  }

  readonly #sendRequest: RequestListener = (name, caller, data) => {
    let text: string | null = null;
    for (const reader of this.#readers) {
      if (reader.onlyCaller !== null && reader.onlyCaller !== caller) continue;
      text ??= this.#encode(name, data());
      reader.send(text);
    }
  };

  #encodeState(facts: StateFacts = this.#options.describeState()): string {
    const { wallClock, clock } = this.#options;
    const uptimeMs = Math.round(clock() - this.#startedAtMs);
    const event: StateEvent = { ...facts, at_ms: wallClock(), uptime_ms: uptimeMs };
    return this.#encode("state", event);
  }

  #encode(name: string, data: object): string {
    this.#lastId += 1;
    return `id: ${this.#lastId}\n${encodeEvent(name, data)}`;
  }
}

function encodeEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** One stream. Its memory is bounded: what is too much for a slow reader is counted and not kept. */
class EventReader {
  /** The one caller whose requests it may see; null: all. */
  readonly onlyCaller: string | null;
  readonly request: ReaderRequest;
  readonly tokenName: string | null;
  readonly #writer: FeedWriter;
  readonly #encodeState: () => string;
  #queuedChars = 0;
  #isBehind = false;
  #dropped = 0;

  constructor({ writer, tokenName, ...request }: NewReader, encodeState: () => string) {
    this.onlyCaller = tokenName === defaultTokenName ? null : tokenName;
    this.request = request;
    this.tokenName = tokenName;
    this.#writer = writer;
    this.#encodeState = encodeState;
  }

  send(text: string): void {
    // Once one is dropped the rest is too, until it has caught up: what it reads has one gap, which it is told of.
    if (this.#dropped > 0 || this.#queuedChars + text.length > eventFeedBounds.maxQueuedChars) {
      this.#dropped += 1;
      return;
    }
    this.#write(text);
  }

  async end(): Promise<void> {
    await this.#writer.end();
  }

  #write(text: string): void {
    const taken = this.#writer.write(text);
    if (taken === undefined) return;
    this.#queuedChars += text.length;
    if (this.#isBehind) return;
    this.#isBehind = true;
    void taken.then(() => this.#catchUp());
  }

  #catchUp(): void {
    this.#isBehind = false;
    this.#queuedChars = 0;
    if (this.#dropped === 0) return;
    const dropped: EventsDropped = { count: this.#dropped };
    this.#dropped = 0;
    this.#write(encodeEvent("events.dropped", dropped) + this.#encodeState());
  }
}
