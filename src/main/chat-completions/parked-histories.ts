/** What a parked turn has seen. */
export interface ParkedHistory {
  readonly fingerprint: string;
  readonly threadId: string;
}

/** Beyond so many the oldest is forgotten; its turn is then replayed and not continued. One is about 200 bytes. */
export const maxParkedHistories = 10_000;

/** Histories of the turns that chat completions left parked, by native turn id. */
export class ParkedHistories {
  readonly #histories = new Map<string, ParkedHistory>();

  get size(): number {
    return this.#histories.size;
  }

  remember(turnId: string, history: ParkedHistory): void {
    this.#histories.delete(turnId);
    this.#histories.set(turnId, history);
    for (const oldest of this.#histories.keys()) {
      if (this.#histories.size <= maxParkedHistories) return;
      this.#histories.delete(oldest);
    }
  }

  /** A history is asked for once: its turn goes on, or is given up. */
  take(turnId: string): ParkedHistory | null {
    const history = this.#histories.get(turnId) ?? null;
    this.#histories.delete(turnId);
    return history;
  }
}
