/** `GET /`: says what this is and how to call it, a browser by a page and a program by JSON. Nothing of this machine is in either. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Operation, schemaRef } from "../../dialects/operation.js";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";
import type { Service } from "../wire-answers.js";
import { stateTag } from "./state.js";

/** The service for a program that asks what it has found. */
export function describeService(version: string): Service {
  return {
    name: "codex-native-api",
    description: "An OpenAI-compatible API in front of the Codex that is logged in on this machine.",
    version,
    base_path: "/v1",
    routes: [
      "POST /v1/responses",
      "POST /v1/chat/completions",
      "POST /v1/decisions",
      "GET /v1/models",
      "GET /v1/health",
    ],
    openapi: "/openapi.json",
  };
}

/** Sends the page that a browser gets. */
export type SendPage = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answered without a token: who finds the service may read how it is called. */
export function addRootRoute(
  app: FastifyInstance,
  { version }: Pick<RouteContext, "version">,
  sendPage: SendPage,
): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const vary = reply.getHeader("vary");
    reply.header("vary", vary === undefined ? "accept" : `accept, ${String(vary)}`);
    if (!prefersHtml(request.headers.accept)) return reply.send(describeService(version));
    return sendPage(request, reply);
  };
  const operation: Operation = {
    id: "getService",
    tag: stateTag,
    summary: "What this is and how to call it",
    answers: {
      200: {
        description: "For a program JSON; for a browser, which accepts `text/html`, a page.",
        content: { "application/json": schemaRef("Service"), "text/html": { type: "string" } },
      },
    },
  };
  addRoute(app, "/", { GET: { ...operation, handler: answer } }, { public: true });
}

/** Whether HTML is named, and JSON is not named as the better one. */
function prefersHtml(accept = ""): boolean {
  const quality = (type: string) => {
    const range = accept.split(",").find((entry) => entry.split(";", 1)[0]?.trim().toLowerCase() === type);
    if (range === undefined) return 0;
    return Number(/;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1] ?? 1);
  };
  const html = quality("text/html");
  return html > 0 && html >= quality("application/json");
}
