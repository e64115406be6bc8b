import type { CodexNativeApiErrorCode } from "../errors.js";
import type { NativeAccount } from "../runtime/types.js";

/** What a `CodexNativeApiService` tells its host, by event name. Listeners are told in order, one event after the other. */
export interface CodexNativeApiServiceEvents {
  /** The address is bound. Turns are answered with 503 until `ready`. */
  readonly listening: ServiceListening;
  /** Codex has said who is logged in, and turns run. Comes again after each `unavailable`. */
  readonly ready: ServiceReady;
  /**
   * Turns cannot run, or the reason why not is another one now. Not sent while Codex starts for the first time: that is what
   * `listening` without `ready` means.
   */
  readonly unavailable: ServiceUnavailable;
  /** Codex names another account than before, or none. The first one after each start is a change too: from null. Comes before `ready`. */
  readonly accountChanged: ServiceAccountChanged;
  /** `stop` or `destroy` begins. */
  readonly stopping: ServiceStopping;
  /** Nothing of this run is left: no listener, thread or process. */
  readonly stopped: ServiceStopped;
}

/** Of `listening`. */
export interface ServiceListening {
  /** Where the service listens, such as `http://127.0.0.1:43182`. */
  readonly url: string;
}

/** Of `ready`. */
export interface ServiceReady {
  /** Null where it is not known; `authMode` is `none` where the provider needs no login. */
  readonly account: NativeAccount | null;
  /** Such as `0.169.0`. */
  readonly codexVersion: string | null;
}

/** Of `unavailable`. */
export interface ServiceUnavailable {
  /** `native_login_required` or `native_runtime_unavailable`: the code that turns are answered with meanwhile. */
  readonly code: CodexNativeApiErrorCode;
  /** For people: what is wrong and, where somebody has to act, what to do. */
  readonly message: string;
  /** Whether the service expects to be ready again within moments, by itself. False: somebody has to act, or it will take a while. */
  readonly recovering: boolean;
}

/** Of `accountChanged`: null is nobody, or not known yet. */
export interface ServiceAccountChanged {
  readonly previous: NativeAccount | null;
  readonly current: NativeAccount | null;
}

/** Of `stopping`. */
export interface ServiceStopping {
  /** How long turns in flight may take to end, in milliseconds; 0 for `destroy`. */
  readonly graceMs: number;
}

/** Has no fields yet. */
export type ServiceStopped = Readonly<Record<never, never>>;

/** A fault of a listener is its owner's: it is handed on and disturbs nobody else. */
type ListenerFault = (eventName: string, error: unknown) => void;

type Listener<E> = (event: E) => unknown;

/** Typed events for a host's code, which may throw, reject, subscribe and unsubscribe while it is being told. */
export class EventListeners<Events extends object> {
  readonly #onFault: ListenerFault;
  readonly #listeners: { [K in keyof Events]?: Set<{ readonly tell: Listener<Events[K]> }> } = {};

  constructor(onFault: ListenerFault) {
    this.#onFault = onFault;
  }

  /** Returns the function that unsubscribes; calling that again does nothing. */
  on<K extends keyof Events & string>(name: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    // An entry of its own, so that one function subscribed twice is told twice and unsubscribes once.
    const entry = { tell: listener };
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Tells everybody who is subscribed now, in the order of subscription, before it returns. */
  emit<K extends keyof Events & string>(name: K, event: Events[K]): void {
    for (const { tell } of [...(this.#listeners[name] ?? [])]) {
      try {
        // What a listener returns is nobody's business, but a promise of its own that rejects would end the process.
        Promise.resolve(tell(event)).catch((error: unknown) => this.#onFault(name, error));
      } catch (error) {
        this.#onFault(name, error);
      }
    }
  }
}
