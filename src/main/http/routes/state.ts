/** Routes about the service itself: probes for process supervisors, health, metrics, and the OpenAPI document. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { json, type OperationAnswer } from "../../dialects/operation.js";
import { describeHealth } from "../health-report.js";
import { addRoute, type DescribedRoute, type Endpoint } from "../method-routes.js";
import type { MetricsSink } from "../metrics-sink.js";
import type { RouteContext } from "../server-options.js";

export const stateTag = { name: "State", description: "For programs that watch the service." };

/** Without a metrics sink there is no `/metrics`. */
export function addStateRoutes(
  app: FastifyInstance,
  context: RouteContext,
  routes: readonly DescribedRoute[],
  metrics: MetricsSink | undefined,
): void {
  const { runtime, version } = context;
  addProbes(app, context);

  let document: Promise<string> | null = null;
  addRoute(
    app,
    "/openapi.json",
    {
      GET: {
        id: "getOpenApiDocument",
        tag: stateTag,
        summary: "This document",
        answers: {
          200: { description: "OpenAPI 3.1.", content: { "application/json": { type: "object" } } },
        },
        handler: async (_request, reply) => {
          document ??= renderDocument(version, routes);
          return reply.type("application/json; charset=utf-8").send(await document);
        },
      },
    },
    // Needs no token: the document tells nothing about this machine that the published code does not.
    { public: true },
  );

  const health: Endpoint = {
    id: "getHealth",
    tag: stateTag,
    summary: "The state in detail",
    description: "Built from the last known state: reading it never waits for Codex.",
    answers: {
      200: json("Health", "Turns can run."),
      503: json("Health", "Turns cannot run now; `native_runtime.reason` says why."),
    },
    handler: (_request, reply) => {
      const report = describeHealth(runtime.health({ refresh: true }), context);
      reply.code(report.status === "unavailable" ? 503 : 200).send(report);
    },
  };
  addRoute(app, "/v1/health", { GET: health }, { quiet: true });
  if (metrics !== undefined) addMetrics(app, context, metrics);
}

function addProbes(app: FastifyInstance, { runtime }: RouteContext): void {
  const config = { public: true, quiet: true };
  const liveness: Endpoint = {
    id: "getLiveness",
    tag: stateTag,
    summary: "Whether the process answers",
    answers: { 200: describeWord("ok", "It does.") },
    handler: (_request, reply) => sendWord(reply, 200, "ok"),
  };
  addRoute(app, "/livez", { GET: liveness }, config);
  const readiness: Endpoint = {
    id: "getReadiness",
    tag: stateTag,
    summary: "Whether turns can run",
    answers: { 200: describeWord("ready", "They can."), 503: describeWord("not ready", "They cannot.") },
    handler: (_request, reply) => {
      const { ready } = runtime.health().readiness;
      sendWord(reply, ready ? 200 : 503, ready ? "ready" : "not ready");
    },
  };
  addRoute(app, "/readyz", { GET: readiness }, config);
}

function addMetrics(app: FastifyInstance, context: RouteContext, metrics: MetricsSink): void {
  const page: Endpoint = {
    id: "getMetrics",
    tag: stateTag,
    summary: "Metrics in Prometheus' text format",
    answers: {
      200: {
        description:
          "docs/operations.md lists all metrics. A host that gives the server no metrics has no such route.",
        content: { "text/plain": { type: "string" } },
      },
    },
    handler: async (_request, reply) => {
      const { contentType, text } = await metrics.render({
        webSockets: context.openWebSockets(),
        eventReaders: context.eventFeed.size,
      });
      return reply.type(contentType).send(text);
    },
  };
  addRoute(app, "/metrics", { GET: page }, { quiet: true });
}

function describeWord(word: string, description: string): OperationAnswer {
  return { description, content: { "text/plain": { type: "string", const: `${word}\n` } } };
}

function sendWord(reply: FastifyReply, status: number, word: string): void {
  reply.code(status).type("text/plain; charset=utf-8").send(`${word}\n`);
}

/** Loads the document's code at the first request: most services never get one. */
async function renderDocument(version: string, routes: readonly DescribedRoute[]): Promise<string> {
  const { buildOpenApiDocument } = await import("../openapi/document.js");
  return JSON.stringify(buildOpenApiDocument({ version, serverUrl: "/", routes }));
}
