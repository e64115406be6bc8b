import { mayUse, type Owner } from "../continuation/owned-registry.js";
import type { ResponseRun } from "./response-run.js";

/** The responses that are being made and will be stored, by id, so that they can be read, attached to and cancelled. */
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

  /** Those in the background, of one owner or of all: the others end with their requests. */
  cancelBackground(owner?: string): void {
    for (const run of this.#inBackground()) if (owner === undefined || run.owner === owner) run.cancel();
  }

  /** Settles when none is left in the background. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#inBackground().map((run) => run.ended));
  }

  #inBackground(): readonly ResponseRun[] {
    return [...this.#runs.values()].filter((run) => run.background);
  }
}
