/** Bounds of the router that a host may change. */
export interface SideTaskLimits {
  /** Tasks under way at once; one more is refused with `overloaded`. */
  readonly maxConcurrentTasks: number;
  /** Part of the time left that a route may take while there is another behind it; from above 0 to 1. */
  readonly routeShare: number;
  /** Failures in a row that open a route's circuit. */
  readonly circuitFailures: number;
  /** How long a circuit stays open the first time, in milliseconds; doubled for each trial that fails. */
  readonly circuitOpenMs: number;
  readonly circuitMaxOpenMs: number;
  /** A route that was given less than this many milliseconds is not blamed for taking too long. */
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

/** Places with a circuit of their own; more come only by overrides of single tasks. */
export const maxCircuits = 16;

export const httpLimits = {
  connectTimeoutMs: 5_000,
  keepAliveMs: 30_000,
  maxResponseBytes: 8 * 1024 * 1024,
} as const;
