/** Routes that tell of the service itself: probes for process supervisors, health, metrics, and the description of all routes. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { describeHealth } from "../health-report.js";
import { addRoute } from "../method-routes.js";
import type { MetricsSink } from "../metrics-sink.js";
import type { RouteContext } from "../server-options.js";

const traits = { public: true, quiet: true };

export function addProbeRoutes(app: FastifyInstance, { runtime }: RouteContext): void {
  addRoute(app, "/livez", { GET: (_request, reply) => sendWord(reply, 200, "ok") }, traits);
  const answerReadiness = (reply: FastifyReply) => {
    const { ready } = runtime.health().readiness;
    sendWord(reply, ready ? 200 : 503, ready ? "ready" : "not ready");
  };
  addRoute(app, "/readyz", { GET: (_request, reply) => answerReadiness(reply) }, traits);
}

function sendWord(reply: FastifyReply, status: number, word: string): void {
  reply.code(status).type("text/plain; charset=utf-8").send(`${word}\n`);
}

export function addHealthRoute(app: FastifyInstance, context: RouteContext): void {
  const handlers = {
    GET: (_request: unknown, reply: FastifyReply) => {
      const report = describeHealth(context.runtime.health({ refresh: true }), context);
      reply.code(report.status === "unavailable" ? 503 : 200).send(report);
    },
  };
  addRoute(app, "/v1/health", handlers, { quiet: true });
}

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
