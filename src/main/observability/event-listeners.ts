type Listener<E> = (event: E) => unknown;

/** Typed events for a host's code, which may throw, reject, subscribe and unsubscribe inside a listener. */
export class EventListeners<Events extends object> {
  readonly #onFault: (eventName: string, error: unknown) => void;
  readonly #listeners: { [K in keyof Events]?: Set<{ readonly call: Listener<Events[K]> }> } = {};

  /** `onFault` gets what a listener throws, or rejects with: it disturbs neither the service nor other listeners. */
  constructor(onFault: (eventName: string, error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Returns the function that unsubscribes; calling that again does nothing. */
  on<K extends keyof Events & string>(name: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    // Each subscription has its own entry, so that a function subscribed twice is called twice and unsubscribed once.
    const entry = { call: listener };
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  /** Calls every current listener, in the order of subscription, before it returns. */
  emit<K extends keyof Events & string>(name: K, event: Events[K]): void {
    for (const { call } of [...(this.#listeners[name] ?? [])]) {
      try {
        // The result is ignored, but a promise that rejects unheard would end the process.
        Promise.resolve(call(event)).catch((error: unknown) => this.#onFault(name, error));
      } catch (error) {
        this.#onFault(name, error);
      }
    }
  }
}
