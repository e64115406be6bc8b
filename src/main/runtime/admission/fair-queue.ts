import type { TurnPriority } from "../types.js";

/** What the queue reads of an entry. */
export interface QueueEntry {
  readonly caller: string;
  readonly priority: TurnPriority;
  /** What it needs room in: all of one pool can start or none can, and entries of one caller in other pools do not wait for them. */
  readonly pool: string;
}

interface Line<T> {
  /** Taken before and put back, in that order; they go first. */
  readonly returned: Set<T>;
  readonly entries: Set<T>;
}

/** The lines of one caller, by pool. */
type Caller<T> = Map<string, Line<T>>;
type Lane<T> = Map<string, Caller<T>>;

/** A waiting background entry is served after this many interactive ones at the latest. */
const interactivePerBackground = 8;

/**
 * First in, first out for one caller and pool, round robin between callers: a caller that floods the queue waits in its own line.
 * Entries can be removed anywhere in constant time.
 */
export class FairQueue<T extends QueueEntry> {
  readonly #lanes: Readonly<Record<TurnPriority, Lane<T>>> = {
    interactive: new Map(),
    background: new Map(),
  };
  /** Whose turn in the round it was already. */
  readonly #overdue: Readonly<Record<TurnPriority, Set<T>>> = {
    interactive: new Set(),
    background: new Set(),
  };
  readonly #order = new WeakMap<T, number>();
  readonly #waitingByCaller = new Map<string, number>();
  #lastOrder = 0;
  #size = 0;
  #interactiveInARow = 0;

  get size(): number {
    return this.#size;
  }

  push(entry: T): void {
    this.#lastOrder += 1;
    this.#order.set(entry, this.#lastOrder);
    this.#lineOf(entry).entries.add(entry);
    this.#count(entry.caller, 1);
  }

  /** Before all others of its caller and pool. `keepsTurn`: it was taken and could not run, so it goes before other callers' too. */
  putBack(entry: T, keepsTurn = false): void {
    if (keepsTurn) this.#overdue[entry.priority].add(entry);
    this.#order.set(entry, 0);
    this.#lineOf(entry).returned.add(entry);
    this.#count(entry.caller, 1);
  }

  /** The entry that is next among those that can start. It stays in the queue. */
  next(canStart: (head: T) => boolean): T | undefined {
    const [first, second] =
      this.#interactiveInARow < interactivePerBackground
        ? (["interactive", "background"] as const)
        : (["background", "interactive"] as const);
    return this.#nextOf(first, canStart) ?? this.#nextOf(second, canStart);
  }

  /** Removes an entry that is about to run; its caller goes to the end of the round. */
  take(entry: T): void {
    const hadItsTurn = this.#overdue[entry.priority].has(entry);
    if (!this.delete(entry)) return;
    const lane = this.#lanes[entry.priority];
    const caller = lane.get(entry.caller);
    if (caller !== undefined && !hadItsTurn) {
      lane.delete(entry.caller);
      lane.set(entry.caller, caller);
    }
    this.#interactiveInARow = entry.priority === "interactive" ? this.#interactiveInARow + 1 : 0;
  }

  delete(entry: T): boolean {
    const lane = this.#lanes[entry.priority];
    const caller = lane.get(entry.caller);
    const line = caller?.get(entry.pool);
    if (caller === undefined || line === undefined) return false;
    if (!line.returned.delete(entry) && !line.entries.delete(entry)) return false;
    this.#overdue[entry.priority].delete(entry);
    this.#count(entry.caller, -1);
    if (line.returned.size + line.entries.size === 0) caller.delete(entry.pool);
    if (caller.size === 0) lane.delete(entry.caller);
    return true;
  }

  waitingOf(caller: string): number {
    return this.#waitingByCaller.get(caller) ?? 0;
  }

  /** The caller with the most entries; undefined while the queue is empty. */
  longestCaller(): string | undefined {
    let longest: string | undefined;
    for (const caller of this.#waitingByCaller.keys()) {
      if (longest === undefined || this.waitingOf(caller) > this.waitingOf(longest)) longest = caller;
    }
    return longest;
  }

  /** What this caller pushed last, of one priority or of both. Costs as much as it has entries. */
  newestOf(
    caller: string,
    priorities: readonly TurnPriority[] = ["background", "interactive"],
  ): T | undefined {
    let newest: T | undefined;
    for (const priority of priorities) {
      for (const line of this.#lanes[priority].get(caller)?.values() ?? []) {
        for (const entry of line.entries) {
          if (newest === undefined || this.#orderOf(entry) > this.#orderOf(newest)) newest = entry;
        }
      }
    }
    return newest;
  }

  /** Every entry, in no particular order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const lane of Object.values(this.#lanes)) {
      for (const caller of lane.values()) {
        for (const line of caller.values()) {
          yield* line.returned;
          yield* line.entries;
        }
      }
    }
  }

  #count(caller: string, change: 1 | -1): void {
    this.#size += change;
    const waiting = this.waitingOf(caller) + change;
    if (waiting === 0) this.#waitingByCaller.delete(caller);
    else this.#waitingByCaller.set(caller, waiting);
  }

  #lineOf(entry: T): Line<T> {
    const lane = this.#lanes[entry.priority];
    let caller = lane.get(entry.caller);
    if (caller === undefined) {
      caller = new Map();
      lane.set(entry.caller, caller);
    }
    let line = caller.get(entry.pool);
    if (line === undefined) {
      line = { returned: new Set(), entries: new Set() };
      caller.set(entry.pool, line);
    }
    return line;
  }

  #nextOf(priority: TurnPriority, canStart: (head: T) => boolean): T | undefined {
    for (const entry of this.#overdue[priority]) {
      if (canStart(entry)) return entry;
    }
    for (const caller of this.#lanes[priority].values()) {
      let oldest: T | undefined;
      for (const line of caller.values()) {
        const head = firstOf(line.returned) ?? firstOf(line.entries);
        if (head === undefined || !canStart(head)) continue;
        if (oldest === undefined || this.#orderOf(head) < this.#orderOf(oldest)) oldest = head;
      }
      if (oldest !== undefined) return oldest;
    }
    return undefined;
  }

  #orderOf(entry: T): number {
    return this.#order.get(entry) ?? 0;
  }
}

function firstOf<T>(entries: ReadonlySet<T>): T | undefined {
  for (const entry of entries) return entry;
  return undefined;
}
