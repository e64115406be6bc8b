import type { FastifyReply } from "fastify";
import type { RouteContext } from "./server-options.js";
import { SseWriter } from "./sse-writer.js";

/** Takes the answer out of fastify's hands and begins a stream of events. Sends the headers. */
export function openSseWriter(reply: FastifyReply, { keepAliveCommentMs }: RouteContext): SseWriter {
  reply.hijack();
  return new SseWriter(reply.raw, { headers: reply.getHeaders(), keepAliveCommentMs });
}
