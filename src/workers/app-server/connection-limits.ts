/** Bounds and deadlines of one connection. Those both sides of the thread boundary rely on are in `contract/limits.ts`. */
export const connectionLimits = {
  /** Opening the wire: a local socket answers in milliseconds, a cold binary in half a second. */
  openTimeoutMs: 15_000,
  /** `initialize` answered. */
  handshakeTimeoutMs: 30_000,
  /** Our close frame answered by the peer's. */
  closeTimeoutMs: 1_000,
  /**
   * Over a WebSocket the app-server takes frames up to 16 MiB (0.169 says so in its handshake:
   * `x-codex-websocket-max-unfragmented-message-bytes`) and messages up to 64 MiB, and drops the wire beyond.
   */
  maxFrameBytes: 8 * 1024 * 1024,
  maxSentBytes: 64 * 1024 * 1024,
  /** More than eight starts of the largest request (32 MiB) have under way: a peer with so much to read does not read. */
  maxBacklogBytes: 256 * 1024 * 1024,
  /** Messages in a row that are not JSON-RPC before the peer is given up. */
  maxGarbageInARow: 100,
  /** Threads that have a listener. */
  maxThreadListeners: 8192,
  /** Requests of the app-server's that wait for our answer: parked tool calls, mostly. */
  maxOpenServerRequests: 8192,
  /** Calls of `whenReady` that wait. */
  maxReadyWaiters: 8192,
  backoffMinMs: 50,
  backoffMaxMs: 5_000,
  /** A connection that lived this long was a good one: the next loss starts the backoff anew. */
  stableAfterMs: 5_000,
  /** Silence after which the peer is asked for a sign of life. */
  probeIdleMs: 15_000,
  /** How long it may take to give one before it gets no new work, */
  probeSilentMs: 5_000,
  /** and before the connection is dropped. */
  probeTimeoutMs: 10_000,
} as const;
