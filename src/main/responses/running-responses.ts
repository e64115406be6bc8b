import { mayUse, type Owner } from "../continuation/owned-registry.js";
import type { ResponseRun } from "./response-run.js";

/** The responses that are being made, by id, so that they can be read, attached to and cancelled. */
export class RunningResponses {
  readonly #runs = new Map<string, ResponseRun>();

  get size(): number {
    return this.#runs.size;
  }

  /** Until it ends. */
  add(run: ResponseRun): void {
    this.#runs.set(run.id, run);
    void run.ended.then(() => this.#runs.delete(run.id));
  }

  get(responseId: string, caller: Owner): ResponseRun | null {
    const run = this.#runs.get(responseId);
    return run !== undefined && mayUse(run.owner, caller) ? run : null;
  }

  cancelAllOf(owner: string): void {
    for (const run of this.#runs.values()) if (run.owner === owner) run.cancel();
  }

  cancelAll(): void {
    for (const run of this.#runs.values()) run.cancel();
  }

  /** Settles when none is left. */
  async whenIdle(): Promise<void> {
    await Promise.all(Array.from(this.#runs.values(), (run) => run.ended));
  }
}
