import type { EventListeners } from "../observability/event-listeners.js";
import type { NativeAccount, NativeRuntimeHealth, Readiness } from "../runtime/types.js";
import type { CodexNativeApiServiceEvents } from "./service-events.js";

/** What this needs of a runtime. */
export interface WatchedRuntime {
  readonly readiness: Readiness;
  readonly recovering: boolean;
  health(): NativeRuntimeHealth;
  onReadinessChange(listener: () => void): () => void;
}

/** Turns a runtime's readiness into a host's events: the runtime repeats itself and reports more than a host needs. */
export class ReadinessEvents {
  readonly #runtime: WatchedRuntime;
  readonly #events: EventListeners<CodexNativeApiServiceEvents>;
  /** `ready`, or the reason why not, of the last event; null before the first one. */
  #lastSent: string | null = null;
  #account: NativeAccount | null = null;
  #unsubscribe: (() => void) | null = null;
  #closed = false;

  constructor(runtime: WatchedRuntime, events: EventListeners<CodexNativeApiServiceEvents>) {
    this.#runtime = runtime;
    this.#events = events;
  }

  /** Begins with the current state. */
  start(): void {
    if (this.#closed || this.#unsubscribe !== null) return;
    this.#unsubscribe = this.#runtime.onReadinessChange(() => this.#look());
    this.#look();
  }

  /** Sends no more events. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe?.();
  }

  #look(): void {
    this.#sendAccount();
    // A listener may have closed this.
    if (this.#closed) return;
    const { readiness, recovering } = this.#runtime;
    if (readiness.ready) {
      const { account, codexVersion } = this.#runtime.health();
      if (this.#isNews("ready")) this.#events.emit("ready", { account, codexVersion });
      return;
    }
    const { code, message } = readiness.error;
    if (recovering && this.#lastSent === null) return;
    if (this.#isNews(`${code}: ${message}`)) this.#events.emit("unavailable", { code, message, recovering });
  }

  #sendAccount(): void {
    const current = this.#runtime.health().account;
    const previous = this.#account;
    if (accountKeys.every((key) => previous?.[key] === current?.[key])) return;
    this.#account = current;
    this.#events.emit("accountChanged", { previous, current });
  }

  #isNews(state: string): boolean {
    const isNews = this.#lastSent !== state;
    this.#lastSent = state;
    return isNews;
  }
}

const accountKeys = ["id", "email", "plan", "authMode"] as const;
