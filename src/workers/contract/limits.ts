/** Bounds that both sides of the thread boundary rely on. Tunable bounds are configuration, not here. */
export const limits = {
  /** Longest delay that `setTimeout` takes, in milliseconds; a longer one would fire at once. */
  maxTimerMs: 2_147_483_647,
  /** Largest JSON-RPC message taken from or sent to an app-server, in bytes. */
  maxMessageBytes: 128 * 1024 * 1024,
  /** Requests to the app-server that may wait for an answer on one connection. */
  maxPendingCalls: 4096,
  /** Bytes of an app-server's stderr kept for error reports. */
  stderrTailBytes: 8 * 1024,
  /** Text of an error message that crosses a thread or reaches a client, in characters. */
  maxErrorTextChars: 2000,
  /** Event batches a worker may have under way to the supervisor for one turn before it waits for credit. */
  turnCreditBatches: 32,
  /** Text a worker keeps for one turn while the supervisor gives no credit, in bytes. */
  maxTurnBacklogBytes: 16 * 1024 * 1024,
  /**
   * Notifications of one turn that a worker holds until the turn can take them, and their JSON in bytes; the echo of what the turn
   * injects comes on top.
   */
  maxHeldNotifications: 10_000,
  maxHeldBytes: 4 * 1024 * 1024,
} as const;
