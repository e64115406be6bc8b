import type { CircuitEffect } from "./fall-through.js";

interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly failureThreshold: number;
  /** How long it stays open the first time; doubled for each trial that fails. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** How a route's circuit breaker stands. */
export type CircuitState =
  /** Tasks pass. */
  | "closed"
  /** None does. */
  | "open"
  /** The next one, or the one under way, decides. */
  | "half_open";

type Inner =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "on_trial" };

/** Leave to try the route once. What became of it is told exactly once. */
export interface CircuitPermit {
  settle(effect: CircuitEffect, waitMs?: number | null): void;
}

/** Keeps tasks away from a route that fails, and lets one through now and then to see whether it is back. */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #inner: Inner = { kind: "closed", failures: 0 };
  /** Moves on with each change of kind, so that a task let through before it has no say. */
  #epoch = 0;
  #openings = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    const inner = this.#inner;
    if (inner.kind === "on_trial") return "half_open";
    if (inner.kind === "open") return this.#options.now() < inner.untilMs ? "open" : "half_open";
    return "closed";
  }

  /** Whether `enter` would let a task through. */
  get isPassable(): boolean {
    return this.#inner.kind !== "on_trial" && this.state !== "open";
  }

  /** Null where the task has to stay away. */
  enter(): CircuitPermit | null {
    if (!this.isPassable) return null;
    if (this.#inner.kind === "open") this.#become({ kind: "on_trial" });
    const epoch = this.#epoch;
    let settled = false;
    return {
      settle: (effect, waitMs = null) => {
        if (settled || epoch !== this.#epoch) return;
        settled = true;
        this.#apply(effect, waitMs);
      },
    };
  }

  #apply(effect: CircuitEffect, waitMs: number | null): void {
    const inner = this.#inner;
    switch (effect) {
      case "healthy":
        this.#openings = 0;
        this.#become({ kind: "closed", failures: 0 });
        return;
      case "none":
        // A trial that said nothing: the next task is the trial.
        if (inner.kind === "on_trial") this.#become({ kind: "open", untilMs: this.#options.now() });
        return;
      case "opens":
        this.#open(waitMs);
        return;
      case "counts": {
        const failures = inner.kind === "closed" ? inner.failures + 1 : this.#options.failureThreshold;
        if (failures >= this.#options.failureThreshold) this.#open(waitMs);
        else this.#become({ kind: "closed", failures });
        return;
      }
    }
  }

  #open(waitMs: number | null): void {
    const { openMs, maxOpenMs, now } = this.#options;
    const backoffMs = openMs * 2 ** Math.min(this.#openings, 20);
    this.#openings += 1;
    this.#become({ kind: "open", untilMs: now() + Math.min(Math.max(backoffMs, waitMs ?? 0), maxOpenMs) });
  }

  #become(inner: Inner): void {
    if (inner.kind !== this.#inner.kind) this.#epoch += 1;
    this.#inner = inner;
  }
}

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
