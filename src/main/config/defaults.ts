/** Defaults of the options that a part of the service also has when a host makes it without a configuration. */
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
  continuation: {
    ttlMs: 30 * 60 * 1000,
    maxEntries: 10_000,
    maxBytes: 256 * 1024 * 1024,
  },
} as const;
