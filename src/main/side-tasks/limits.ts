/** Bounds of the router that a host may change. */
export interface SideTaskLimits {
  /** Tasks under way at once; one more is refused with `overloaded`. */
  readonly maxConcurrentTasks: number;
  /** Part of the remaining time that a route may take while another route follows; above 0 and at most 1. */
  readonly routeShare: number;
  /** Failures in a row that open a route's circuit. */
  readonly circuitFailures: number;
  /** How long a circuit stays open the first time, in milliseconds; doubled for each trial that fails. */
  readonly circuitOpenMs: number;
  readonly circuitMaxOpenMs: number;
  /** A timeout counts against a route only if the route had at least this many milliseconds. */
  readonly blamedTimeoutMs: number;
}

export const defaultSideTaskLimits: SideTaskLimits = {
  maxConcurrentTasks: 256,
  routeShare: 0.7,
  circuitFailures: 3,
  circuitOpenMs: 10_000,
  circuitMaxOpenMs: 300_000,
  blamedTimeoutMs: 5_000,
};

/** Compiled output schemas that are kept. */
export const maxSchemas = 64;

/** Places with a circuit of their own; more appear only where single tasks name a provider of their own. */
export const maxCircuits = 16;

/** How long the one task that tries an open circuit keeps the others away, in milliseconds: longer than any connection takes. */
export const circuitTrialMs = 10_000;

export const httpLimits = {
  connectTimeoutMs: 5_000,
  keepAliveMs: 30_000,
  maxResponseBytes: 8 * 1024 * 1024,
} as const;
