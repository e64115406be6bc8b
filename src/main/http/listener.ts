/** The listening socket: limits on what may come in, and an end that is sure to come. */
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { CodexNativeApiError } from "../errors.js";
import { commonHeaders } from "./common-headers.js";
import { describeError } from "./error-reply.js";
import { createId } from "./request-id.js";
import type { ListenerLimits } from "./server-options.js";

/** Where a server listens. */
export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Connections that wait to be accepted; a burst of a thousand callers must not be refused by the system. */
const backlog = 2048;

export function createHttpServer(limits: ListenerLimits, onRequest: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      // How often node looks for the first two; its own pace of half a minute would stretch shorter limits.
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs, 30_000),
      // Refused by the guard, in our own shape; node would answer without a body.
      requireHostHeader: false,
    },
    onRequest,
  );
  // Likewise: an expectation that nobody knows may be left unmet.
  server.on("checkExpectation", onRequest);
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

/** What node's parser refuses never becomes a request; the answer is written by hand. */
export function refuseMalformed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = malformed.get(error.code ?? "") ?? [
    "400 Bad Request",
    "The request is not valid HTTP.",
  ];
  const body = JSON.stringify(describeError(new CodexNativeApiError("invalid_request", message)));
  const head = [
    `HTTP/1.1 ${status}`,
    `x-request-id: ${createId("req")}`,
    ...Object.entries(commonHeaders).map(([name, value]) => `${name}: ${value}`),
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const malformed: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["431 Request Header Fields Too Large", "The request's headers are too large."]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["408 Request Timeout", "The request took too long to arrive."]],
]);
