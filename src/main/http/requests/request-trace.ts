/** Keeps the entry of one request in the request log up to date, from its arrival to the end of both its answer and its turn. */
import type { ExchangeEnd, RequestExchange } from "../../exchange/exchange.js";
import type { RequestEntry } from "../../observability/requests/types.js";
import type { RequestObservation } from "../metrics-sink.js";
import type { EntryKeeper, RequestRecord } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import {
  describeEntry,
  describeFacts,
  type EntryEnd,
  type EntryFacts,
  type RequestPlace,
} from "./request-entry.js";

type TraceContext = Pick<RouteContext, "requestLog" | "requestContent" | "clock" | "wallClock">;

/** A request that asks for no turn has an entry only if it failed. */
export class RequestTrace implements EntryKeeper {
  readonly #record: RequestRecord;
  readonly #place: RequestPlace;
  readonly #context: TraceContext;
  readonly #startedAtMs: number;
  /** Null while there is no entry. */
  #id: string | null = null;
  /** Set while there is one. */
  #facts: EntryFacts | null = null;
  #exchange: RequestExchange | null = null;
  #turnEnded: Promise<ExchangeEnd> | null = null;
  #hasEnded = false;

  constructor(record: RequestRecord, place: RequestPlace, context: TraceContext) {
    this.#record = record;
    this.#place = place;
    this.#context = context;
    this.#startedAtMs = context.wallClock();
  }

  begin(exchange: RequestExchange): void {
    this.#exchange = exchange;
    this.#begin();
  }

  update(): void {
    if (this.#id === null || this.#hasEnded) return;
    this.#context.requestLog.update(this.#describe(this.#id, null));
  }

  follow(ended: Promise<ExchangeEnd>): void {
    this.#turnEnded = ended;
  }

  end(observation: RequestObservation): void {
    if (this.#turnEnded === null) this.#end(observation, null);
    else void this.#turnEnded.then((turn) => this.#end(observation, turn));
  }

  #begin(): string {
    const { requestLog } = this.#context;
    const id = requestLog.idFor(this.#place.requestId);
    this.#id = id;
    this.#facts = describeFacts(this.#record);
    requestLog.begin(this.#describe(id, null));
    return id;
  }

  #end(observation: RequestObservation, turn: ExchangeEnd | null): void {
    if (this.#id === null && this.#record.errorCode === null) return;
    const id = this.#id ?? this.#begin();
    this.#hasEnded = true;
    const atMs = this.#context.clock();
    this.#context.requestLog.end(this.#describe(id, { observation, turn, atMs }));
    // What the exchange holds may be large, and its connection may live on.
    this.#exchange = null;
  }

  #describe(id: string, end: EntryEnd | null): RequestEntry {
    return describeEntry({
      id,
      place: this.#place,
      record: this.#record,
      facts: this.#facts ?? describeFacts(this.#record),
      exchange: this.#exchange,
      startedAtMs: this.#startedAtMs,
      hasContent: this.#context.requestContent(),
      end,
    });
  }
}
