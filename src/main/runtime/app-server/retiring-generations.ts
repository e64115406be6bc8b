import type { AppServerProcess } from "./app-server-process.js";

export interface Retiring {
  readonly generation: number;
  readonly process: AppServerProcess;
  readonly reason: string;
}

/** Generations that a newer one replaced and that end their own work: until released, or for the time they were given. */
export class RetiringGenerations {
  readonly #onFault: (fault: string, cause: unknown) => void;
  readonly #retiring = new Map<number, Retiring & { readonly timer: NodeJS.Timeout }>();

  constructor(onFault: (fault: string, cause: unknown) => void) {
    this.#onFault = onFault;
  }

  get processes(): readonly AppServerProcess[] {
    return [...this.#retiring.values()].map(({ process }) => process);
  }

  add(retiring: Retiring, timeoutMs: number): void {
    const timer = setTimeout(() => {
      this.release(retiring.generation).catch((cause: unknown) => {
        this.#onFault("app_server.retire_failed", cause);
      });
    }, timeoutMs);
    this.#retiring.set(retiring.generation, { ...retiring, timer });
  }

  /** Ends one; does nothing for a generation that is not retiring. */
  async release(generation: number): Promise<void> {
    const retiring = this.#retiring.get(generation);
    if (retiring === undefined) return;
    clearTimeout(retiring.timer);
    await retiring.process.close();
  }

  /** Takes one that is gone off the list; null when it was not on it. */
  remove(generation: number): Retiring | null {
    const retiring = this.#retiring.get(generation);
    if (retiring === undefined) return null;
    clearTimeout(retiring.timer);
    this.#retiring.delete(generation);
    return retiring;
  }
}
