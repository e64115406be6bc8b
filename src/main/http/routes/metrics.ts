import type { FastifyInstance, FastifyReply } from "fastify";
import { addRoute } from "../method-routes.js";
import type { MetricsSink } from "../metrics-sink.js";

/** Without a sink there is no such route. */
export function addMetricsRoute(app: FastifyInstance, metrics: MetricsSink | undefined): void {
  if (metrics === undefined) return;
  const handlers = {
    GET: async (_request: unknown, reply: FastifyReply) => {
      const page = await metrics.render();
      return reply.type(page.contentType).send(page.text);
    },
  };
  addRoute(app, "/metrics", handlers, { quiet: true });
}
