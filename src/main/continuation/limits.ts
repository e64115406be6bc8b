/** Bounds that are not configuration. */
export const continuationLimits = {
  /** Responses in one chain, from its first to the one that is continued. */
  maxChainDepth: 4096,
  /** Ids remembered of responses that are gone, so that their owners learn why. One takes about 100 bytes. */
  maxTombstones: 10_000,
  /** Expired entries that one operation clears away on its own way: more than the one it may add. */
  pruneStepsPerOperation: 2,
  /** Expired entries that one run of the timer clears away, so that it never holds up the event loop. */
  pruneStepsPerSweep: 1000,
  sweepIntervalMs: 10_000,
} as const;

/** The bounds of a registry that is given none. The service's configuration has the same. */
export const defaultContinuationBounds = {
  ttlMs: 30 * 60 * 1000,
  maxEntries: 10_000,
  maxBytes: 256 * 1024 * 1024,
} as const;
