import type { NativeAccount, NativeRuntimeHealth, Readiness } from "../runtime/types.js";
import type { CodexNativeApiServiceEvents, EventListeners } from "./service-events.js";

/** What this needs of a runtime. */
export interface WatchedRuntime {
  readonly readiness: Readiness;
  readonly recovering: boolean;
  health(): NativeRuntimeHealth;
  onReadinessChange(listener: () => void): () => void;
}

/** Makes a host's events of what a runtime says about itself, which repeats itself and says more than a host needs. */
export class ReadinessEvents {
  readonly #runtime: WatchedRuntime;
  readonly #events: EventListeners<CodexNativeApiServiceEvents>;
  /** `ready`, or why not, as it was told last; null before anything was. */
  #told: string | null = null;
  #account: NativeAccount | null = null;
  #unsubscribe: (() => void) | null = null;
  #closed = false;

  constructor(runtime: WatchedRuntime, events: EventListeners<CodexNativeApiServiceEvents>) {
    this.#runtime = runtime;
    this.#events = events;
  }

  /** Begins with what is known already. */
  start(): void {
    if (this.#closed || this.#unsubscribe !== null) return;
    this.#unsubscribe = this.#runtime.onReadinessChange(() => this.#look());
    this.#look();
  }

  /** Nothing is told from here on. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe?.();
  }

  #look(): void {
    this.#tellAccount();
    // A listener may have closed this.
    if (this.#closed) return;
    const { readiness, recovering } = this.#runtime;
    if (readiness.ready) {
      if (this.#isNews("ready")) this.#tellReady();
      return;
    }
    const { code, message } = readiness.error;
    if (recovering && this.#told === null) return;
    if (this.#isNews(`${code}: ${message}`)) this.#events.emit("unavailable", { code, message, recovering });
  }

  #tellReady(): void {
    const { account, codexVersion } = this.#runtime.health();
    this.#events.emit("ready", { account, codexVersion });
  }

  #tellAccount(): void {
    const current = this.#runtime.health().account;
    const previous = this.#account;
    if (isSameAccount(previous, current)) return;
    this.#account = current;
    this.#events.emit("accountChanged", { previous, current });
  }

  #isNews(what: string): boolean {
    const isNews = this.#told !== what;
    this.#told = what;
    return isNews;
  }
}

function isSameAccount(one: NativeAccount | null, other: NativeAccount | null): boolean {
  return (
    one?.id === other?.id &&
    one?.email === other?.email &&
    one?.plan === other?.plan &&
    one?.authMode === other?.authMode
  );
}
