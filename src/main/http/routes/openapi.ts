import type { FastifyInstance, FastifyReply } from "fastify";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";

/** Needs no token: it says what the code says, and nothing of this machine. */
export function addOpenApiRoute(app: FastifyInstance, { version }: RouteContext): void {
  let text: Promise<string> | null = null;
  const handlers = {
    GET: async (_request: unknown, reply: FastifyReply) => {
      text ??= renderDocument(version);
      reply.type("application/json; charset=utf-8");
      return text;
    },
  };
  addRoute(app, "/openapi.json", handlers, { public: true });
}

/** Loaded when first asked for: most services never are. */
async function renderDocument(version: string): Promise<string> {
  const { buildOpenApiDocument } = await import("../openapi/document.js");
  return JSON.stringify(buildOpenApiDocument({ version, serverUrl: "/" }));
}
