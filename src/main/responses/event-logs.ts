import type { ResponseEventLog } from "../continuation/response-event-log.js";

/** Bytes kept of all background streams together. */
const maxTotalBytes = 64 * 1024 * 1024;
const maxLogs = 1_000;

/** The events of background responses, for clients that attach to them late; the oldest finished ones go first. */
export class EventLogs {
  readonly #logs = new Map<string, ResponseEventLog>();

  add(responseId: string, log: ResponseEventLog): void {
    this.#logs.set(responseId, log);
    this.#dropOldest();
  }

  get(responseId: string): ResponseEventLog | null {
    return this.#logs.get(responseId) ?? null;
  }

  delete(responseId: string): void {
    this.#logs.delete(responseId);
  }

  #dropOldest(): void {
    let bytes = 0;
    for (const log of this.#logs.values()) bytes += log.bytes;
    for (const [responseId, log] of this.#logs) {
      if (bytes <= maxTotalBytes && this.#logs.size <= maxLogs) return;
      // One that is still written has a bound of its own.
      if (!log.closed) continue;
      bytes -= log.bytes;
      this.#logs.delete(responseId);
    }
  }
}
