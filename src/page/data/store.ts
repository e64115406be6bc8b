/** What the page knows. A change is there at once; views hear of changes at most four times a second, and not while hidden. */
import type { Entry, ServiceState } from "../wire.js";
import { callLater } from "./timers.js";

/**
 * `connecting`: nothing has come yet. `live`: events are followed. `polling`: no events, but answers. `lost`: no answers.
 * `refused`: the service wants a token, or another one. `asleep`: the page was hidden for a while and follows nothing.
 */
export type Connection = "connecting" | "live" | "polling" | "lost" | "refused" | "asleep";

export interface PageState {
  readonly connection: Connection;
  readonly service: ServiceState | null;
  /** The service's clock less this browser's; 0 where they agree within seconds, as on one machine. */
  readonly clockOffsetMs: number;
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** The service's list was read, so that no entries means none. */
  readonly areEntriesLoaded: boolean;
  /** The service sent what this page cannot read: one of them is older than the other. */
  readonly isOutdated: boolean;
  /** A token is in use, which the person may take back. */
  readonly hasToken: boolean;
  /** What did not let the page in, if anything was tried. */
  readonly refusal: "token" | "code" | null;
}

export const emptyPage: PageState = {
  connection: "connecting",
  service: null,
  clockOffsetMs: 0,
  entries: [],
  areEntriesLoaded: false,
  isOutdated: false,
  hasToken: false,
  refusal: null,
};

const minMsBetweenCalls = 250;

export class Store<State extends object> {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #lastCallMs = Number.NEGATIVE_INFINITY;
  #isScheduled = false;

  constructor(state: State) {
    this.#state = state;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#call();
    });
  }

  get = (): State => this.#state;

  set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#isScheduled || document.hidden) return;
    this.#isScheduled = true;
    const dueMs = this.#lastCallMs + minMsBetweenCalls - performance.now();
    callLater(Math.max(0, dueMs), () => {
      this.#isScheduled = false;
      this.#call();
    });
  }

  /** The returned function ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #call(): void {
    if (document.hidden) return;
    this.#lastCallMs = performance.now();
    for (const listener of [...this.#listeners]) listener();
  }
}
