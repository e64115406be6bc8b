import type { ThreadSettings } from "../../workers/contract/turn.js";

/** What turns with the same thread-level settings want. */
export interface SpareDemand<Spare> {
  readonly thread: ThreadSettings;
  /** Oldest first. */
  readonly spares: Spare[];
  uses: number;
  wanted: number;
  lastUseAtMs: number;
}

/** Settings seen lately that are remembered. */
const maxDemands = 32;
/** Settings longer than this, as JSON, are not remembered. */
const maxSettingsChars = 64 * 1024;

/** Which settings turns came with lately, and the spare threads that stand by for each. */
export class SpareDemands<Spare> {
  readonly #now: () => number;
  readonly #onForgotten: (demand: SpareDemand<Spare>) => void;
  /** By settings, least recently used first. */
  readonly #demands = new Map<string, SpareDemand<Spare>>();

  /** `onForgotten` hears of demands that are remembered no longer, with the spares that they have. */
  constructor(now: () => number, onForgotten: (demand: SpareDemand<Spare>) => void) {
    this.#now = now;
    this.#onForgotten = onForgotten;
  }

  /** Spares of all settings. */
  get size(): number {
    let size = 0;
    for (const { spares } of this.#demands.values()) size += spares.length;
    return size;
  }

  find(thread: ThreadSettings): SpareDemand<Spare> | null {
    return this.#demands.get(JSON.stringify(thread)) ?? null;
  }

  /** A turn with these settings begins; null where they are too long to be remembered. */
  noteUse(thread: ThreadSettings): SpareDemand<Spare> | null {
    const settings = JSON.stringify(thread);
    if (settings.length > maxSettingsChars) return null;
    const known = this.#demands.get(settings);
    if (known === undefined && this.#demands.size >= maxDemands) this.#forgetOne();
    const demand = known ?? { thread, spares: [], uses: 0, wanted: 0, lastUseAtMs: 0 };
    demand.uses += 1;
    demand.lastUseAtMs = this.#now();
    this.#demands.delete(settings);
    this.#demands.set(settings, demand);
    return demand;
  }

  /** The newest that lacks spares. */
  findShort(): SpareDemand<Spare> | null {
    let found: SpareDemand<Spare> | null = null;
    for (const demand of this.#demands.values()) {
      if (demand.spares.length < demand.wanted) found = demand;
    }
    return found;
  }

  /** Takes one from the settings longest unused, as far as those are older than `wanting`; undefined where they have none. */
  giveUpOne(wanting: SpareDemand<Spare> | null): Spare | undefined {
    for (const demand of this.#demands.values()) {
      if (demand === wanting) return undefined;
      const spare = demand.spares.pop();
      if (spare === undefined) continue;
      demand.wanted = demand.spares.length;
      return spare;
    }
    return undefined;
  }

  forgetUnusedSince(oldestMs: number): void {
    for (const [settings, demand] of this.#demands) {
      if (demand.lastUseAtMs < oldestMs) this.#forget(settings, demand);
    }
  }

  forgetAll(): void {
    for (const [settings, demand] of this.#demands) this.#forget(settings, demand);
  }

  /** Least recently used first. */
  [Symbol.iterator](): IterableIterator<SpareDemand<Spare>> {
    return this.#demands.values();
  }

  /** The least recently used; of those that came once where there are any, since a caller may send new settings with each turn. */
  #forgetOne(): void {
    const all = [...this.#demands];
    const forgotten = all.find(([, { uses }]) => uses === 1) ?? all[0];
    if (forgotten !== undefined) this.#forget(...forgotten);
  }

  #forget(settings: string, demand: SpareDemand<Spare>): void {
    this.#demands.delete(settings);
    this.#onForgotten(demand);
  }
}
