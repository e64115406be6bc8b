/** Whitespace before a JSON body that is long in coming, for clients and proxies that give up what is silent. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { CodexNativeApiError } from "../errors.js";
import { cutStalledReader, silentShare, writeLiveHead } from "./event-stream.js";
import type { RouteContext } from "./server-options.js";

export const keepAliveHeader = "x-codex-keep-alive";
export const keepAliveValue = "whitespace";

/**
 * The wait for one JSON answer. An answer that comes in time goes out like any other, with the status of what happened. After a silence the
 * head is sent, with status 200, and a space; what then follows is said in the body alone.
 */
export interface JsonWait {
  /** Ends the wait. Null where the head has not been sent; else the answer is to be given here. */
  end(): ((body: unknown) => Promise<void>) | null;
}

const noWait: JsonWait = { end: () => null };

/** Throws `invalid_request` where the header asks for something else. */
export function keepJsonAlive(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Pick<RouteContext, "jsonKeepAlive" | "keepAliveCommentMs" | "limits">,
): JsonWait {
  const asked = request.headers[keepAliveHeader];
  if (asked !== undefined && asked !== keepAliveValue) {
    const message = `The header ${keepAliveHeader} takes "${keepAliveValue}" and nothing else.`;
    throw new CodexNativeApiError("invalid_request", message);
  }
  if (asked === undefined && context.jsonKeepAlive !== "always") return noWait;
  const response = reply.raw;
  const everyMs = context.keepAliveCommentMs * silentShare;
  let isOpen = false;
  const timer = setInterval(() => {
    if (response.destroyed) return;
    if (!isOpen) openJson(reply, context);
    isOpen = true;
    // A full socket is not silent, it is slow.
    if (!response.writableNeedDrain) response.write(" ");
  }, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      if (!isOpen) return null;
      return async (body) => {
        if (response.destroyed) return;
        const closed = new Promise<void>((resolve) => response.once("close", resolve));
        response.end(JSON.stringify(body));
        await closed;
      };
    },
  };
}

function openJson(reply: FastifyReply, { limits }: Pick<RouteContext, "limits">): void {
  reply.hijack();
  cutStalledReader(reply.raw, limits);
  writeLiveHead(reply.raw, reply.getHeaders(), "application/json; charset=utf-8");
}
