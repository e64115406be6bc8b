import { LRUCache } from "lru-cache";
import type { ExternalReason } from "./external-reasons.js";
import type { CircuitEffect } from "./fall-through.js";

interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly failureThreshold: number;
  /** How long it stays open the first time; doubled for each trial that fails. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** How long a trial keeps the others away, while it has not ended. */
  readonly trialMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The state of a route's circuit breaker. */
export type CircuitState =
  /** Tasks pass. */
  | "closed"
  /** No task passes. */
  | "open"
  /** The next task, or the one under way, decides. */
  | "half_open";

type Inner =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "on_trial"; readonly untilMs: number };

/** Permission to try the route once. Only the first `settle` counts. */
export interface CircuitPermit {
  /** @param reason why it failed, for those that meet the open circuit. */
  settle(effect: CircuitEffect, waitMs?: number | null, reason?: ExternalReason | null): void;
}

/** Keeps tasks away from a route that fails, and lets one through now and then to see whether it works again. */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #inner: Inner = { kind: "closed", failures: 0 };
  /** Grows with each change of kind, so that a task let through before the change no longer counts. */
  #epoch = 0;
  #openings = 0;
  /** Of the failures in a row, or of the trial that opened the circuit last. */
  #reasons: ReadonlySet<ExternalReason> = new Set();

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    const inner = this.#look();
    if (inner.kind === "closed") return "closed";
    return inner.kind === "open" && this.#options.now() < inner.untilMs ? "open" : "half_open";
  }

  /** Whether `enter` would let a task through. */
  get isPassable(): boolean {
    return this.#look().kind !== "on_trial" && this.state !== "open";
  }

  /** Why the circuit is open, or about to be. */
  get reasons(): ReadonlySet<ExternalReason> {
    return this.#reasons;
  }

  /** Null where the task must not pass. */
  enter(): CircuitPermit | null {
    if (!this.isPassable) return null;
    const { now, trialMs } = this.#options;
    if (this.#inner.kind === "open") this.#become({ kind: "on_trial", untilMs: now() + trialMs });
    const epoch = this.#epoch;
    let settled = false;
    return {
      settle: (effect, waitMs = null, reason = null) => {
        if (settled || epoch !== this.#epoch) return;
        settled = true;
        this.#note(effect, reason);
        this.#apply(effect, waitMs);
      },
    };
  }

  #note(effect: CircuitEffect, reason: ExternalReason | null): void {
    if (effect === "none") return;
    const isFurther = effect === "counts" && this.#inner.kind === "closed";
    const earlier = isFurther ? this.#reasons : [];
    this.#reasons = new Set([...earlier, ...(reason === null || effect === "healthy" ? [] : [reason])]);
  }

  #apply(effect: CircuitEffect, waitMs: number | null): void {
    const inner = this.#inner;
    switch (effect) {
      case "healthy":
        this.#openings = 0;
        return this.#become({ kind: "closed", failures: 0 });
      case "none":
        // The trial showed nothing, so the next task is the trial.
        if (inner.kind === "on_trial") this.#become({ kind: "open", untilMs: this.#options.now() });
        return;
      case "opens":
        return this.#open(waitMs);
      case "counts": {
        const failures = inner.kind === "closed" ? inner.failures + 1 : this.#options.failureThreshold;
        if (failures >= this.#options.failureThreshold) this.#open(waitMs);
        else this.#become({ kind: "closed", failures });
      }
    }
  }

  #open(waitMs: number | null): void {
    const { openMs, maxOpenMs, now } = this.#options;
    const backoffMs = openMs * 2 ** Math.min(this.#openings, 20);
    this.#openings += 1;
    this.#become({ kind: "open", untilMs: now() + Math.min(Math.max(backoffMs, waitMs ?? 0), maxOpenMs) });
  }

  /**
   * What holds now. A trial that runs for long has reached its route: the task may think for minutes, and those behind it would be kept
   * away, or sent elsewhere, from a route that works. So they pass, and the next failure opens the circuit again.
   */
  #look(): Inner {
    const { now, failureThreshold } = this.#options;
    // No new epoch: what the trial ends with still counts.
    if (this.#inner.kind === "on_trial" && now() >= this.#inner.untilMs)
      this.#inner = { kind: "closed", failures: failureThreshold - 1 };
    return this.#inner;
  }

  #become(inner: Inner): void {
    if (inner.kind !== this.#inner.kind) this.#epoch += 1;
    this.#inner = inner;
  }
}

/** One breaker for each place that tasks are sent to. Bounded: the least recently used place is dropped. */
export class Circuits {
  readonly #breakers: LRUCache<string, CircuitBreaker>;

  constructor(options: CircuitBreakerOptions, maxPlaces: number) {
    this.#breakers = new LRUCache({ max: maxPlaces, memoMethod: () => new CircuitBreaker(options) });
  }

  states(): Readonly<Record<string, CircuitState>> {
    return Object.fromEntries(
      [...this.#breakers.entries()].toReversed().map(([place, { state }]) => [place, state]),
    );
  }

  of(place: string): CircuitBreaker {
    return this.#breakers.memo(place);
  }
}
