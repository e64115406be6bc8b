import { CodexNativeApiError } from "../../errors.js";

/**
 * The plan's window, once a turn found it used up: until it opens, every turn is refused at once with the time that is left, since
 * the backend would refuse it too. It opens by time, or as soon as Codex reports room again (credits, a reset of the plan).
 */
export class UsageWindow {
  readonly #now: () => number;
  #message = "";
  #opensAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  get isClosed(): boolean {
    return this.#now() < this.#opensAtMs;
  }

  /** `message`: the backend's own words, which every refused caller gets. */
  close(message: string, opensInMs: number): void {
    this.#message = message;
    this.#opensAtMs = this.#now() + opensInMs;
  }

  open(): void {
    this.#opensAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What a turn is refused with now; null while the window is open. */
  refusal(): CodexNativeApiError | null {
    const leftMs = this.#opensAtMs - this.#now();
    if (leftMs <= 0) return null;
    return new CodexNativeApiError("usage_limit_reached", this.#message, { retryAfterMs: leftMs });
  }
}
