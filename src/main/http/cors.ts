/** What a browser wants to hear before it lets a page of an allowed origin read an answer. */
import type { FastifyReply, FastifyRequest } from "fastify";

const exposed = "x-request-id, x-should-retry, retry-after";
const preflightSeconds = "600";

export function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-expose-headers", exposed);
  reply.header("vary", "origin");
}

export function isPreflight(request: FastifyRequest): boolean {
  return request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
}

/** A preflight carries no token, so it is answered before authentication; the request it asks for is not spared. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("access-control-allow-methods", "GET, POST, DELETE");
  const wanted = request.headers["access-control-request-headers"];
  if (wanted !== undefined) reply.header("access-control-allow-headers", wanted);
  if (request.headers["access-control-request-private-network"] === "true") {
    reply.header("access-control-allow-private-network", "true");
  }
  reply.header("access-control-max-age", preflightSeconds);
  reply.code(204).send();
}
