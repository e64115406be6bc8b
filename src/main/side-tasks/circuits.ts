import { CircuitBreaker, type CircuitBreakerOptions, type CircuitState } from "./circuit-breaker.js";

/** One breaker for each place that tasks are sent to. Bounded: the place longest unused is forgotten. */
export class Circuits {
  readonly #options: CircuitBreakerOptions;
  readonly #maxPlaces: number;
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(options: CircuitBreakerOptions, maxPlaces: number) {
    this.#options = options;
    this.#maxPlaces = maxPlaces;
  }

  states(): Readonly<Record<string, CircuitState>> {
    return Object.fromEntries([...this.#breakers].map(([place, { state }]) => [place, state]));
  }

  of(place: string): CircuitBreaker {
    const breaker = this.#breakers.get(place) ?? new CircuitBreaker(this.#options);
    // Set anew, so that the map's order is that of use.
    this.#breakers.delete(place);
    this.#breakers.set(place, breaker);
    for (const oldest of this.#breakers.keys()) {
      if (this.#breakers.size <= this.#maxPlaces) break;
      this.#breakers.delete(oldest);
    }
    return breaker;
  }
}
