import type { FastifyReply } from "fastify";
import type { RouteContext } from "./server-options.js";
import { SseWriter } from "./sse-writer.js";
import { cutStalledReader } from "./stalled-reader.js";

/** Takes the answer out of fastify's hands and begins a stream of events. Sends the headers. */
export function openSseWriter(reply: FastifyReply, { keepAliveCommentMs, limits }: RouteContext): SseWriter {
  reply.hijack();
  cutStalledReader(reply.raw, limits);
  return new SseWriter(reply.raw, { headers: reply.getHeaders(), keepAliveCommentMs });
}
