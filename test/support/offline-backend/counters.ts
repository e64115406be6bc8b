/** What happened so far; plain numbers that only the backend changes. */
export interface BackendCounters {
  /** All that arrives: HTTP requests, upgrades and WebSocket frames, whatever they ask. */
  arrivals: number;
  /** SSE and WebSocket together, warm-ups and malformed requests not counted. */
  modelRequests: number;
  sseRequests: number;
  websocketRequests: number;
  warmups: number;
  invalidModelRequests: number;
  openStreams: number;
  peakOpenStreams: number;
  completedStreams: number;
  abortedByClient: number;
  httpErrors: number;
  websocketConnections: number;
  openWebsockets: number;
  refusedUpgrades: number;
  /** Model requests refused since the account had as many in work as it may. */
  refusedStreams: number;
  refusedByOverload: number;
  /** Model requests and warm-ups refused since the plan's window was used up. */
  refusedByWindow: number;
  /** The most requests of one account, or of one model with a limit of its own, that were in work at once. */
  peakAdmittedStreams: number;
  peakOpenWebsockets: number;
  /** Tokens given out by the refresh endpoint. */
  tokenRefreshes: number;
  /** Refresh attempts refused, reused tokens included. */
  refusedTokenRefreshes: number;
  reusedRefreshTokens: number;
  deviceCodes: number;
  deviceCodePolls: number;
  modelsListCalls: number;
  accountsCheckCalls: number;
  /** Of managed configuration. */
  bundleCalls: number;
  usageCalls: number;
  /** Requests that no row of the table of routes is for. */
  unknownRoutes: number;
}

export function newCounters(): BackendCounters {
  return {
    arrivals: 0,
    modelRequests: 0,
    sseRequests: 0,
    websocketRequests: 0,
    warmups: 0,
    invalidModelRequests: 0,
    openStreams: 0,
    peakOpenStreams: 0,
    completedStreams: 0,
    abortedByClient: 0,
    httpErrors: 0,
    websocketConnections: 0,
    openWebsockets: 0,
    refusedUpgrades: 0,
    refusedStreams: 0,
    refusedByOverload: 0,
    refusedByWindow: 0,
    peakAdmittedStreams: 0,
    peakOpenWebsockets: 0,
    tokenRefreshes: 0,
    refusedTokenRefreshes: 0,
    reusedRefreshTokens: 0,
    deviceCodes: 0,
    deviceCodePolls: 0,
    modelsListCalls: 0,
    accountsCheckCalls: 0,
    bundleCalls: 0,
    usageCalls: 0,
    unknownRoutes: 0,
  };
}
