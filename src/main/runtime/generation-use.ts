/** Which app-server generations have work of ours on them: turns under way, and turns parked there. */
export class GenerationUse {
  readonly #onIdle: (appServerGeneration: number) => void;
  readonly #uses = new Map<number, number>();

  constructor(onIdle: (appServerGeneration: number) => void) {
    this.#onIdle = onIdle;
  }

  isIdle(appServerGeneration: number): boolean {
    return !this.#uses.has(appServerGeneration);
  }

  enter(appServerGeneration: number): void {
    this.#uses.set(appServerGeneration, (this.#uses.get(appServerGeneration) ?? 0) + 1);
  }

  leave(appServerGeneration: number): void {
    const left = (this.#uses.get(appServerGeneration) ?? 1) - 1;
    if (left > 0) {
      this.#uses.set(appServerGeneration, left);
    } else {
      this.#uses.delete(appServerGeneration);
      this.#onIdle(appServerGeneration);
    }
  }
}
