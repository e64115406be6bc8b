import { ResponseEventLog } from "../continuation/response-event-log.js";
import { CodexNativeApiError } from "../errors.js";

export interface EventLogsBounds {
  /** Memory that the events of one response take, in bytes. */
  readonly maxLogBytes: number;
  /** Memory that the events of all responses together take, in bytes. */
  readonly maxBytes: number;
  /** Logs of responses that have ended. */
  readonly maxEnded: number;
}

const defaultBounds: EventLogsBounds = {
  // A text comes five times: in its deltas, and whole in three events of its end and in the response's last one.
  maxLogBytes: 16 * 1024 * 1024,
  maxBytes: 64 * 1024 * 1024,
  maxEnded: 1_000,
};

/**
 * The events of background responses, for clients that follow or attach to them, within one bound together. Where room is short,
 * logs of ended responses without readers go first, the oldest before the others; then the largest lose their oldest events.
 */
export class EventLogs {
  readonly #bounds: EventLogsBounds;
  readonly #logs = new Map<string, ResponseEventLog>();
  #bytes = 0;

  constructor(bounds: Partial<EventLogsBounds> = {}) {
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  /** Memory that all logs take. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#logs.size;
  }

  /** A log for a response to come, within the bounds. It is found once it is added. */
  create(): ResponseEventLog {
    return new ResponseEventLog({
      maxBytes: this.#bounds.maxLogBytes,
      onResize: (delta) => {
        this.#bytes += delta;
        if (delta > 0 && this.#bytes > this.#bounds.maxBytes) this.#makeRoom();
      },
    });
  }

  add(responseId: string, log: ResponseEventLog): void {
    this.#logs.set(responseId, log);
    if (this.#logs.size > this.#bounds.maxEnded) this.#evictEnded((count) => count <= this.#bounds.maxEnded);
  }

  get(responseId: string): ResponseEventLog | null {
    return this.#logs.get(responseId) ?? null;
  }

  /** Ids of the responses that have ended, oldest first. */
  get ended(): readonly string[] {
    return [...this.#logs].flatMap(([responseId, log]) => (log.closed ? responseId : []));
  }

  /** The response is no longer stored, so its readers end. */
  delete(responseId: string): void {
    this.#remove(responseId, noLongerStored(responseId));
  }

  #makeRoom(): void {
    this.#evictEnded(() => this.#bytes <= this.#bounds.maxBytes);
    if (this.#bytes <= this.#bounds.maxBytes) return;
    // A little more than is needed, so that not every event looks for the largest.
    const enough = this.#bounds.maxBytes * (15 / 16);
    while (this.#bytes > enough && this.#largest()?.dropOldest() === true);
  }

  #evictEnded(isEnough: (count: number) => boolean): void {
    for (const [responseId, log] of this.#logs) {
      if (isEnough(this.#logs.size)) return;
      if (log.closed && log.readers === 0) this.#remove(responseId, eventsDropped(responseId));
    }
  }

  #largest(): ResponseEventLog | null {
    let largest: ResponseEventLog | null = null;
    for (const log of this.#logs.values()) if (log.bytes > (largest?.bytes ?? 0)) largest = log;
    return largest;
  }

  #remove(responseId: string, error: CodexNativeApiError): void {
    const log = this.#logs.get(responseId);
    this.#logs.delete(responseId);
    log?.discard(error);
  }
}

/** For a response that is stored, and whose stream is not. */
export function eventsDropped(responseId: string): CodexNativeApiError {
  return new CodexNativeApiError(
    "continuation_expired",
    `The events of response '${responseId.slice(0, 64)}' are no longer kept. Read the response without streaming.`,
    { param: "stream" },
  );
}

function noLongerStored(responseId: string): CodexNativeApiError {
  return new CodexNativeApiError(
    "response_not_found",
    `Response '${responseId.slice(0, 64)}' was deleted or is no longer stored.`,
    { param: "response_id" },
  );
}
