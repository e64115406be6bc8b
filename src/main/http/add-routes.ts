import type { FastifyInstance } from "fastify";
import type { InFlight } from "./in-flight.js";
import { addChatCompletionRoutes } from "./routes/chat-completions.js";
import { addHealthRoute } from "./routes/health.js";
import { addMetricsRoute } from "./routes/metrics.js";
import { addModelRoutes } from "./routes/models.js";
import { addOpenApiRoute } from "./routes/openapi.js";
import { addProbeRoutes } from "./routes/probes.js";
import { addResponsesRoutes } from "./routes/responses.js";
import { addStoredResponseRoutes } from "./routes/stored-responses.js";
import type { CodexNativeApiServerOptions, RouteContext } from "./server-options.js";

export interface RouteParts {
  readonly options: Pick<CodexNativeApiServerOptions, "metrics">;
  readonly context: RouteContext;
  readonly inFlight: InFlight;
}

/** Every route there is; `openapi/` describes each. */
export function addRoutes(app: FastifyInstance, { options, context, inFlight }: RouteParts): void {
  addProbeRoutes(app, context);
  addOpenApiRoute(app, context);
  addHealthRoute(app, context);
  addMetricsRoute(app, options.metrics);
  addModelRoutes(app, context);
  addResponsesRoutes(app, context, inFlight);
  addStoredResponseRoutes(app, context, inFlight);
  addChatCompletionRoutes(app, context, inFlight);
}
