/** A fault of a listener is its owner's: it is handed on and disturbs nobody else. */
export type ListenerFault = (eventName: string, error: unknown) => void;

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
