/** The listening socket: limits on what may come in, and an end that is sure to come. */
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import type { ListenerLimits } from "./server-options.js";

/** Where a server listens. */
export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Connections that wait to be accepted; a burst of a thousand callers must not be refused by the system. */
const backlog = 2048;

/** How often requests are looked at that take too long to arrive, at the longest: so much later is one given up. */
const maxCheckingIntervalMs = 2_000;

export function createHttpServer(limits: ListenerLimits, onRequest: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(
        limits.headersTimeoutMs,
        limits.requestTimeoutMs,
        maxCheckingIntervalMs,
      ),
      // Refused by the guard, in our own shape; node would answer without a body.
      requireHostHeader: false,
    },
    onRequest,
  );
  // Likewise: an expectation that nobody knows may be left unmet. Whoever reads the body asks for it first.
  server.on("checkExpectation", onRequest).on("checkContinue", onRequest);
  // Their size is bounded; node would drop those beyond its own number without a word.
  server.maxHeadersCount = 0;
  applyLimits(server, limits);
  return server;
}

/** All but the size of headers can be changed while it listens; times hold for requests that begin from here on. */
export function applyLimits(server: Server, limits: ListenerLimits): void {
  server.headersTimeout = limits.headersTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
}

export async function listen(server: Server, host: string, port: number): Promise<ListeningAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = server.address();
  const actualPort = isAddressInfo(bound) ? bound.port : port;
  return { host, port: actualPort, url: `http://${isIPv6(host) ? `[${host}]` : host}:${actualPort}` };
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
