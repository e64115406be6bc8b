/**
 * Remembers keys that are gone, the last ones of them: at least half of `maxEntries` and never more. Two generations instead
 * of one queue, because a `Map` that is emptied from its front gets slow.
 */
export class Tombstones<Reason> {
  readonly #maxPerGeneration: number;
  #young = new Map<string, Reason>();
  #old = new Map<string, Reason>();

  constructor(maxEntries: number) {
    this.#maxPerGeneration = Math.floor(maxEntries / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  add(key: string, reason: Reason): void {
    if (this.#maxPerGeneration === 0) return;
    this.delete(key);
    if (this.#young.size >= this.#maxPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, reason);
  }

  get(key: string): Reason | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
