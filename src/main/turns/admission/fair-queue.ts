import type { TurnPriority } from "../../runtime/types.js";

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

/** The entries of one priority. */
class Lane<T> {
  /** The lines of each caller, by pool; the caller that is next first. */
  readonly callers = new Map<string, Map<string, Line<T>>>();
  /** Entries whose turn in the round it was already. */
  readonly overdue = new Set<T>();
}

/** A waiting background entry is served after this many interactive ones at the latest. */
const interactivePerBackground = 8;

/**
 * First in, first out for one caller and pool, round robin between callers: a caller that floods the queue waits in its own line.
 * Entries can be removed anywhere in constant time.
 */
export class FairQueue<T extends QueueEntry> {
  readonly #lanes = { interactive: new Lane<T>(), background: new Lane<T>() };
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
    if (keepsTurn) this.#lanes[entry.priority].overdue.add(entry);
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
    const { callers, overdue } = this.#lanes[entry.priority];
    const hadItsTurn = overdue.has(entry);
    if (!this.delete(entry)) return;
    const caller = callers.get(entry.caller);
    if (caller !== undefined && !hadItsTurn) {
      callers.delete(entry.caller);
      callers.set(entry.caller, caller);
    }
    this.#interactiveInARow = entry.priority === "interactive" ? this.#interactiveInARow + 1 : 0;
  }

  delete(entry: T): boolean {
    const { callers, overdue } = this.#lanes[entry.priority];
    const caller = callers.get(entry.caller);
    const line = caller?.get(entry.pool);
    if (caller === undefined || line === undefined) return false;
    if (!line.returned.delete(entry) && !line.entries.delete(entry)) return false;
    overdue.delete(entry);
    this.#count(entry.caller, -1);
    if (line.returned.size + line.entries.size === 0) caller.delete(entry.pool);
    if (caller.size === 0) callers.delete(entry.caller);
    return true;
  }

  has(entry: T): boolean {
    const line = this.#lanes[entry.priority].callers.get(entry.caller)?.get(entry.pool);
    return line !== undefined && (line.returned.has(entry) || line.entries.has(entry));
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
      for (const line of this.#lanes[priority].callers.get(caller)?.values() ?? []) {
        for (const entry of line.entries) {
          if (newest === undefined || this.#orderOf(entry) > this.#orderOf(newest)) newest = entry;
        }
      }
    }
    return newest;
  }

  /** Every entry, in no particular order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const { callers } of Object.values(this.#lanes)) {
      for (const caller of callers.values()) {
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
    const { callers } = this.#lanes[entry.priority];
    const caller = callers.get(entry.caller) ?? new Map<string, Line<T>>();
    const line = caller.get(entry.pool) ?? { returned: new Set(), entries: new Set() };
    callers.set(entry.caller, caller.set(entry.pool, line));
    return line;
  }

  #nextOf(priority: TurnPriority, canStart: (head: T) => boolean): T | undefined {
    const { callers, overdue } = this.#lanes[priority];
    for (const entry of overdue) {
      if (canStart(entry)) return entry;
    }
    for (const caller of callers.values()) {
      let oldest: T | undefined;
      for (const line of caller.values()) {
        const [head] = line.returned.size > 0 ? line.returned : line.entries;
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
