import { mayUse, type Owner } from "../continuation/owned-registry.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";

/** Bytes kept of all background streams together. */
const maxTotalBytes = 64 * 1024 * 1024;
const maxLogs = 1_000;

interface OwnedLog {
  readonly log: ResponseEventLog;
  readonly owner: Owner;
}

/** The events of background responses, for clients that attach to them late; the oldest finished ones go first. */
export class EventLogs {
  readonly #logs = new Map<string, OwnedLog>();

  add(responseId: string, log: ResponseEventLog, owner: Owner): void {
    this.#logs.set(responseId, { log, owner });
    this.#dropOldest();
  }

  get(responseId: string, caller: Owner): ResponseEventLog | null {
    const found = this.#logs.get(responseId);
    return found !== undefined && mayUse(found.owner, caller) ? found.log : null;
  }

  delete(responseId: string): void {
    this.#logs.delete(responseId);
  }

  #dropOldest(): void {
    let bytes = 0;
    for (const { log } of this.#logs.values()) bytes += log.bytes;
    for (const [responseId, { log }] of this.#logs) {
      if (bytes <= maxTotalBytes && this.#logs.size <= maxLogs) return;
      // One that is still written has a bound of its own.
      if (!log.closed) continue;
      bytes -= log.bytes;
      this.#logs.delete(responseId);
    }
  }
}
