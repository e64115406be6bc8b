/** Whitespace before a JSON body that takes long, for clients and proxies that close silent connections. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { CodexNativeApiError } from "../errors.js";
import { beginLiveAnswer, endLiveAnswer, silentShare } from "./event-stream.js";
import type { RouteContext } from "./server-options.js";

export const keepAliveHeader = "x-codex-keep-alive";
export const keepAliveValue = "whitespace";

/**
 * Ends the wait for one JSON answer. Null where the head has not been sent: the answer goes out like any other, with its own status.
 * Else the head, with status 200, and some spaces were sent, and the returned function sends the body.
 */
export type EndJsonWait = () => ((body: unknown) => Promise<void>) | null;

/**
 * Sends a sign of life at each `keepAliveCommentMs`, if the request's header or the configuration asks for it.
 *
 * @throws CodexNativeApiError `invalid_request` for a header of another value.
 */
export function keepJsonAlive(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  context: Pick<RouteContext, "jsonKeepAlive" | "keepAliveCommentMs" | "limits">,
): EndJsonWait {
  const asked = headers[keepAliveHeader];
  if (asked !== undefined && asked !== keepAliveValue) {
    const message = `The header ${keepAliveHeader} takes only "${keepAliveValue}".`;
    throw new CodexNativeApiError("invalid_request", message);
  }
  if (asked === undefined && context.jsonKeepAlive !== "always") return () => null;
  const response = reply.raw;
  let isOpen = false;
  const timer = setInterval(() => {
    if (response.destroyed) return;
    if (!isOpen) beginLiveAnswer(reply, context, "application/json; charset=utf-8");
    isOpen = true;
    // A full socket is not silent, it is slow.
    if (!response.writableNeedDrain) response.write(" ");
  }, context.keepAliveCommentMs * silentShare);
  return () => {
    clearInterval(timer);
    if (!isOpen) return null;
    return async (body) => {
      if (!response.destroyed) await endLiveAnswer(response, JSON.stringify(body));
    };
  };
}
