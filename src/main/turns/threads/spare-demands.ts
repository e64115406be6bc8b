import type { ThreadSettings } from "../../../workers/contract/turn.js";

/** What turns with the same thread-level settings want. */
export interface SpareDemand<Spare> {
  readonly thread: ThreadSettings;
  /** Oldest first. */
  spares: Spare[];
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

  /** `onForgotten` is called with each demand that is forgotten, and the spares that it has. */
  constructor(now: () => number, onForgotten: (demand: SpareDemand<Spare>) => void) {
    this.#now = now;
    this.#onForgotten = onForgotten;
  }

  /** Spares of all settings. */
  get size(): number {
    return [...this].reduce((sum, { spares }) => sum + spares.length, 0);
  }

  find(thread: ThreadSettings): SpareDemand<Spare> | null {
    return this.#demands.get(JSON.stringify(thread)) ?? null;
  }

  /** A turn with these settings begins; null where they are too long to be remembered. */
  noteUse(thread: ThreadSettings): SpareDemand<Spare> | null {
    const demand = this.remember(thread);
    if (demand !== null) demand.uses += 1;
    return demand;
  }

  /** The same of a turn that is expected. */
  remember(thread: ThreadSettings): SpareDemand<Spare> | null {
    const settings = JSON.stringify(thread);
    if (settings.length > maxSettingsChars) return null;
    const known = this.#demands.get(settings);
    if (known === undefined && this.#demands.size >= maxDemands) this.#forgetOne();
    const demand = known ?? { thread, spares: [], uses: 0, wanted: 0, lastUseAtMs: 0 };
    demand.lastUseAtMs = this.#now();
    this.#demands.delete(settings);
    this.#demands.set(settings, demand);
    return demand;
  }

  /** The newest that lacks spares. */
  findShort(): SpareDemand<Spare> | null {
    return [...this].filter(({ spares, wanted }) => spares.length < wanted).at(-1) ?? null;
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

  /** Those that were last used before then; left out: all of them. */
  forgetUnusedSince(oldestMs = Number.POSITIVE_INFINITY): void {
    for (const [settings, demand] of this.#demands) {
      if (demand.lastUseAtMs < oldestMs) this.#forget(settings, demand);
    }
  }

  /** Least recently used first. */
  [Symbol.iterator](): IterableIterator<SpareDemand<Spare>> {
    return this.#demands.values();
  }

  /** The least recently used; of those that came once where there are any, since a caller may send new settings with each turn. */
  #forgetOne(): void {
    const all = [...this.#demands];
    const forgotten = all.find(([, { uses }]) => uses <= 1) ?? all[0];
    if (forgotten !== undefined) this.#forget(...forgotten);
  }

  #forget(settings: string, demand: SpareDemand<Spare>): void {
    this.#demands.delete(settings);
    this.#onForgotten(demand);
  }
}
