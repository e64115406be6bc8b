import { LRUCache } from "lru-cache";

/** What a parked turn has seen. */
export interface ParkedHistory {
  readonly fingerprint: string;
  readonly threadId: string;
}

/** Beyond this number the oldest is forgotten; its turn is then replayed and not continued. One takes about 200 bytes. */
export const maxParkedHistories = 10_000;

/** Histories of the turns that chat completions left parked, by native turn id. */
export class ParkedHistories {
  readonly #histories = new LRUCache<string, ParkedHistory>({ max: maxParkedHistories });

  get size(): number {
    return this.#histories.size;
  }

  remember(turnId: string, history: ParkedHistory): void {
    this.#histories.set(turnId, history);
  }

  /** Forgets the history, which is asked for once: its turn is continued, or abandoned. */
  take(turnId: string): ParkedHistory | null {
    const history = this.#histories.peek(turnId) ?? null;
    this.#histories.delete(turnId);
    return history;
  }
}
