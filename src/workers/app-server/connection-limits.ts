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
  /** More than eight starts of the largest request (32 MiB) can hold: a peer with more to read has stopped reading. */
  maxBacklogBytes: 256 * 1024 * 1024,
  /** Messages in a row that are not JSON-RPC before the connection is dropped. */
  maxGarbageInARow: 100,
  /** Threads that have a listener. */
  maxThreadListeners: 8192,
  /** Requests of the app-server that wait for our answer: mostly parked tool calls. */
  maxOpenServerRequests: 8192,
  /** Calls of `whenReady` that wait. */
  maxReadyWaiters: 8192,
  backoffMinMs: 50,
  backoffMaxMs: 5_000,
  /** A connection that lived this long resets the backoff. */
  stableAfterMs: 5_000,
  /** Silence after which the peer is probed. */
  probeIdleMs: 15_000,
  /** How long a probe may stay unanswered before the peer gets no new work. */
  probeSilentMs: 5_000,
  /** How long a probe may stay unanswered before the connection is dropped. */
  probeTimeoutMs: 10_000,
} as const;
