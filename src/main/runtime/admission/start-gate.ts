/**
 * Bounds the turns between "sent to the app-server" and "started" on one process: a burst of starts makes Codex drop
 * notifications, with eight at a time 1,000 turns lose nothing.
 */
export class StartGate {
  readonly #limit: number;
  readonly #starting = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  hasRoom(processKey: string): boolean {
    return (this.#starting.get(processKey) ?? 0) < this.#limit;
  }

  /** Takes a place; the answer gives it back, once, however often it is called. */
  enter(processKey: string): () => void {
    this.#starting.set(processKey, (this.#starting.get(processKey) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#starting.get(processKey) ?? 1) - 1;
      if (left === 0) this.#starting.delete(processKey);
      else this.#starting.set(processKey, left);
    };
  }
}
