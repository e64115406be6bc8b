/** The listening socket, and the limits of its connections. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { isIPv6 } from "node:net";
import type { ListenerLimits } from "./server-options.js";
import { serveUpgrades, UpgradableRequest } from "./web-socket/upgrade.js";

/** Where a server listens. */
export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Connections that wait to be accepted: the system must not refuse a burst of a thousand callers. */
const backlog = 2048;

/** Longest time between two checks for requests that take too long to arrive: a timeout may come so much later. */
const maxCheckingIntervalMs = 2_000;

export function createHttpServer(limits: ListenerLimits, onRequest: RequestListener): Server {
  const { headersTimeoutMs: headersTimeout, requestTimeoutMs: requestTimeout } = limits;
  const server = createServer(
    {
      IncomingMessage: UpgradableRequest,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, requestTimeout, maxCheckingIntervalMs),
      // The guard refuses a missing one, with a body; node's answer has none.
      requireHostHeader: false,
    },
    onRequest,
  );
  // Node would refuse an unknown expectation, which may be ignored; `100 Continue` is sent when the body is read.
  server.on("checkExpectation", onRequest).on("checkContinue", onRequest);
  serveUpgrades(server, onRequest);
  // Their size is bounded; node would drop headers beyond its own number without an error.
  server.maxHeadersCount = 0;
  applyLimits(server, limits);
  return server;
}

/** All but the size of headers can change while it listens. New times hold for requests that begin later. */
export function applyLimits(server: Server, limits: ListenerLimits): void {
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
}

export async function listen(server: Server, host: string, port: number): Promise<ListeningAddress> {
  server.listen({ host, port, backlog });
  await once(server, "listening");
  const bound = server.address();
  const actualPort = typeof bound === "object" && bound !== null ? bound.port : port;
  return { host, port: actualPort, url: `http://${isIPv6(host) ? `[${host}]` : host}:${actualPort}` };
}
