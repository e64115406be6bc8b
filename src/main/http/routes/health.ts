import type { FastifyInstance } from "fastify";
import { describeHealth } from "../health-report.js";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";

export function addHealthRoute(app: FastifyInstance, context: RouteContext): void {
  addRoute(app, "/v1/health", {
    GET: (_request, reply) => {
      const report = describeHealth(context.runtime.health(), context);
      reply.code(report.status === "unavailable" ? 503 : 200).send(report);
    },
  });
}
