interface Caller<T> {
  readonly name: string;
  readonly entries: Set<T>;
}

/**
 * First in, first out for one caller, round robin between callers: who floods the queue waits behind itself and not before
 * the others. Entries can be taken out anywhere in constant time.
 */
export class FairQueue<T> {
  readonly #callers = new Map<string, Caller<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(callerName: string, entry: T): void {
    let caller = this.#callers.get(callerName);
    if (caller === undefined) {
      caller = { name: callerName, entries: new Set() };
      this.#callers.set(callerName, caller);
    }
    caller.entries.add(entry);
    this.#size += 1;
  }

  /** The entry that `shift` would take. */
  peek(): T | undefined {
    return this.#next()?.entry;
  }

  /** Takes the next entry, or undefined when there is none. */
  shift(): T | undefined {
    const next = this.#next();
    if (next === undefined) return undefined;
    this.delete(next.caller.name, next.entry);
    this.#moveToEnd(next.caller);
    return next.entry;
  }

  #next(): { readonly caller: Caller<T>; readonly entry: T } | undefined {
    for (const caller of this.#callers.values()) {
      for (const entry of caller.entries) return { caller, entry };
    }
    return undefined;
  }

  delete(callerName: string, entry: T): boolean {
    const caller = this.#callers.get(callerName);
    if (caller === undefined || !caller.entries.delete(entry)) return false;
    this.#size -= 1;
    if (caller.entries.size === 0) this.#callers.delete(callerName);
    return true;
  }

  #moveToEnd(caller: Caller<T>): void {
    if (!this.#callers.delete(caller.name)) return;
    this.#callers.set(caller.name, caller);
  }
}
