/** The one model of OpenAI's decisions, which unmodified code names. */
export const officialDecisionModel = "gpt-6-luna";

/** Defaults that the configuration shares with parts which a host can make without a configuration. */
export const defaults = {
  http: {
    /**
     * A history of 32 MB in messages of 1 KB, with parts and calls, has some 400,000 values; a request with 128 tools of ordinary size
     * has some 10,000 outside its history.
     */
    maxBodyValues: 1_000_000,
    maxItemValues: 20_000,
    maxHeaderBytes: 16 * 1024,
    headersTimeoutMs: 30_000,
    requestTimeoutMs: 120_000,
    minBodyBytesPerSecond: 8 * 1024,
    streamHeadHoldMs: 10_000,
    maxConnections: 4096,
  },
  turns: {
    spareThreads: 8,
    /** Public reports tell of refused upgrades beyond some 50 connections of one account. */
    upstreamConnections: 32,
    upstreamConnectionsPerSecond: 16,
  },
  decisions: {
    effort: "low",
  },
  codex: {
    /** A thousand turns at once take 2.6 GB, and as many parked ones again as much (0.171, 2.5 MB each). */
    maxAppServerRssBytes: 6 * 1024 * 1024 * 1024,
    /** An idle app-server was measured at 0.1 %, probes included; one that has gone bad keeps a whole core busy. */
    maxIdleCpuPercent: 50,
    idleCpuWindowMs: 300_000,
  },
  continuation: {
    ttlMs: 30 * 60 * 1000,
    maxEntries: 10_000,
    maxBytes: 256 * 1024 * 1024,
  },
  requests: {
    maxEntries: 1_000,
    maxBytes: 16 * 1024 * 1024,
  },
} as const;
