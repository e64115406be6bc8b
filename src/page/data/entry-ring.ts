/** The newest requests, bounded. A request keeps its place when more is learned of it. */
import type { Entry } from "../wire.js";

export const maxEntries = 1_000;

const order: Readonly<Record<Entry["state"], number>> = { waiting: 0, running: 1, ended: 2 };

export class EntryRing {
  readonly #maxEntries: number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #newestFirst: readonly Entry[] | null = [];

  constructor(bound: number = maxEntries) {
    this.#maxEntries = bound;
  }

  /** True if it changed anything: news that come late take nothing back. */
  put(entry: Entry): boolean {
    const known = this.#entries.get(entry.id);
    if (known !== undefined && order[known.state] > order[entry.state]) return false;
    this.#entries.set(entry.id, entry);
    this.#newestFirst = null;
    if (this.#entries.size > this.#maxEntries) this.#dropOldest();
    return true;
  }

  /** Takes over a list as the service sends it, newest first; what it does not name stays. */
  fill(newestFirst: readonly Entry[]): void {
    const listed = new Map([...newestFirst].reverse().map((entry) => [entry.id, entry]));
    const all = [...this.#entries.values()].filter(({ id }) => !listed.has(id));
    for (const [id, entry] of listed) {
      const known = this.#entries.get(id);
      all.push(known !== undefined && order[known.state] > order[entry.state] ? known : entry);
    }
    all.sort((left, right) => left.started_at_ms - right.started_at_ms);
    this.#entries.clear();
    for (const entry of all.slice(-this.#maxEntries)) this.#entries.set(entry.id, entry);
    this.#newestFirst = null;
  }

  /** The same array until something changes. */
  list(): readonly Entry[] {
    this.#newestFirst ??= [...this.#entries.values()].reverse();
    return this.#newestFirst;
  }

  clear(): void {
    this.#entries.clear();
    this.#newestFirst = [];
  }

  /** The oldest that has ended, so that turns which run for long stay in sight; where none has, the oldest. */
  #dropOldest(): void {
    for (const [id, { state }] of this.#entries) {
      if (state !== "ended") continue;
      this.#entries.delete(id);
      return;
    }
    for (const id of this.#entries.keys()) {
      this.#entries.delete(id);
      return;
    }
  }
}
