import type { ResponseEvent } from "./wire-events.js";

/** Events made by one step of a response, numbered without gaps over the whole response. */
export class EventLog {
  #nextNumber = 0;
  #events: ResponseEvent[] = [];

  /** The number for the event that is added next. */
  number(): number {
    return this.#nextNumber++;
  }

  add(event: ResponseEvent): void {
    this.#events.push(event);
  }

  /** The events since the last call. */
  take(): readonly ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
