import type { FastifyInstance, FastifyReply } from "fastify";
import { describeHealth } from "../health-report.js";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";

export function addHealthRoute(app: FastifyInstance, context: RouteContext): void {
  const handlers = {
    GET: (_request: unknown, reply: FastifyReply) => {
      const report = describeHealth(context.runtime.health({ refresh: true }), context);
      reply.code(report.status === "unavailable" ? 503 : 200).send(report);
    },
  };
  addRoute(app, "/v1/health", handlers, { quiet: true });
}
