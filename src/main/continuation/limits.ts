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
