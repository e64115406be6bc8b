/** Puts routes and guards together. The order of the guards is the order of the checks in each request. */

import type { Server } from "node:http";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Dialect } from "../dialects/dialect.js";
import { CodexNativeApiError } from "../errors.js";
import type { AccessPolicy } from "./access-policy.js";
import { type BodyLimits, IncomingBody } from "./body/incoming-body.js";
import { commonHeaders } from "./common-headers.js";
import { EarlyAnswers } from "./early-answer.js";
import { sendError, toApiError } from "./error-reply.js";
import { cutStalledReader } from "./event-stream.js";
import type { InFlight } from "./in-flight.js";
import { readJsonBodies } from "./json-body.js";
import { createHttpServer } from "./listener.js";
import { MalformedRequests } from "./malformed-request.js";
import { collectRoutes, type DescribedRoute } from "./method-routes.js";
import { noSuchRoute } from "./missing-routes.js";
import { checkHead } from "./request-head.js";
import { requestIdOf } from "./request-id.js";
import {
  HttpRequestRecord,
  logFault,
  logRequest,
  observationOf,
  recordKey,
  recordOf,
} from "./request-record.js";
import { RequestTrace } from "./requests/request-trace.js";
import { addEventsRoute } from "./routes/events.js";
import { addModelRoutes } from "./routes/models.js";
import { addPageRoutes } from "./routes/page.js";
import { addRequestRoutes } from "./routes/requests.js";
import { addRootRoute } from "./routes/root.js";
import { addStateRoutes } from "./routes/state.js";
import { addStoredResponseRoutes } from "./routes/stored-responses.js";
import { type AcceptWebSocket, addTurnRoute } from "./routes/turns.js";
import {
  type CodexNativeApiServerOptions,
  defaultListenerLimits,
  type RouteContext,
} from "./server-options.js";
import { isHandshake } from "./web-socket/upgrade.js";
import type { WebSockets } from "./web-socket/web-sockets.js";

export interface AppParts {
  readonly options: CodexNativeApiServerOptions;
  readonly dialects: readonly Dialect[];
  readonly context: RouteContext;
  readonly access: () => AccessPolicy;
  readonly bodyLimits: BodyLimits;
  readonly inFlight: InFlight;
  readonly webSockets: WebSockets;
  /** True once the server accepts no more work. */
  readonly isClosing: () => boolean;
}

/** Keeps fastify from loading two schema compilers at each start: zod checks requests here, and no route has a schema. */
const noSchemas = () => () => {
  throw new Error("a route has a schema, and nothing compiles it");
};

export function buildApp(parts: AppParts): FastifyInstance {
  const { options, context, bodyLimits, inFlight } = parts;
  const limits = { ...defaultListenerLimits, ...options.limits };
  const earlyAnswers = new EarlyAnswers(() => bodyLimits.bounds.maxBytes);
  const malformed = new MalformedRequests(earlyAnswers, inFlight);
  const app = fastify({
    // This module opens and closes the socket itself: fastify's own close waits for streams without a limit.
    serverFactory: (handler): Server =>
      createHttpServer(limits, handler).on("connect", (_request, socket) => malformed.refuseTunnel(socket)),
    clientErrorHandler: (error, socket) => malformed.refuse(error, socket),
    // No hook runs for these.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ "x-request-id": request.id, ...commonHeaders });
      if (earlyAnswers.prepare(request.raw, reply.raw)) reply.header("connection", "close");
      sendError(request, reply, toApiError(error));
    },
    routerOptions: { maxParamLength: 512 },
    genReqId: (request) => requestIdOf(request.headers),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  readJsonBodies(app, bodyLimits, context.loopShare);
  app.decorateRequest(recordKey, null);
  addGuards(app, parts, earlyAnswers);
  addErrorReplies(app, context);
  addRoutes(app, parts);
  return app;
}

interface RouteParts extends Pick<AppParts, "dialects" | "context" | "inFlight"> {
  readonly webSockets: Pick<WebSockets, "accept">;
  readonly options: Pick<CodexNativeApiServerOptions, "metrics">;
}

/** All routes. Returns them as they describe themselves. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): readonly DescribedRoute[] {
  const routes = collectRoutes(app);
  const { options, dialects, context, inFlight, webSockets } = parts;
  const { metrics } = options;
  const accept: AcceptWebSocket = (request, reply, dialect) =>
    webSockets.accept(request, reply, { dialect, context, inFlight, metrics });
  for (const dialect of dialects) addTurnRoute(app, dialect, context, inFlight, accept);
  addStoredResponseRoutes(app, context, inFlight);
  addModelRoutes(app, context);
  addRootRoute(app, context, addPageRoutes(app, context));
  addRequestRoutes(app, context);
  addStateRoutes(app, context, routes, options.metrics);
  addEventsRoute(app, context, inFlight);
  return routes;
}

function addGuards(app: FastifyInstance, parts: AppParts, earlyAnswers: EarlyAnswers): void {
  const { options, context, access, bodyLimits, inFlight, isClosing } = parts;
  const { logger } = context;

  app.addHook("onRequest", async (request, reply) => {
    const body = new IncomingBody(request.raw, reply.raw, bodyLimits);
    const record = new HttpRequestRecord(context.clock(), body);
    request.setDecorator(recordKey, record);
    const isPoll = request.routeOptions.config.quiet === true;
    if (!isPoll) {
      options.metrics?.noteRequest?.();
      const { id: requestId, method, routeOptions } = request;
      const place = { requestId, method, route: routeOptions.url ?? null, transport: "http" } as const;
      record.entry = new RequestTrace(record, place, context);
    }
    inFlight.track(reply.raw, request.raw.socket, () => {
      body.release();
      const observation = observationOf(request, reply, context.clock());
      options.metrics?.observeRequest(observation);
      record.entry?.end(observation);
      if (logger === undefined) return;
      logRequest(logger, { requestId: request.id, record, observation, isPoll });
    });
    reply.headers({ "x-request-id": request.id, ...commonHeaders });
    if (isClosing()) {
      reply.header("connection", "close");
      throw new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.");
    }
    checkHead(request.raw);
  });

  app.addHook("onSend", (request, reply, _payload, done) => {
    cutStalledReader(reply.raw, context.limits);
    const { errorCode } = recordOf(request);
    const isTooSlow = errorCode === "request_timeout";
    const isEarly = earlyAnswers.prepare(request.raw, reply.raw, isTooSlow);
    if (isEarly || isHandshake(request.raw)) reply.header("connection", "close");
    // fastify ends every connection on which a body was refused, even if all of the body has come and was not too large.
    else if (!isClosing() && errorCode !== "body_too_large") reply.removeHeader("connection");
    done();
  });

  app.addHook("onRequest", async (request, reply) => {
    const origin = access().guard.check(request.headers, request.raw.socket.localAddress);
    if (origin === null) return undefined;
    reply.headers({
      "access-control-allow-origin": origin,
      "access-control-expose-headers": "x-request-id, x-should-retry, retry-after",
      vary: "origin",
    });
    const isPreflight = request.method === "OPTIONS" && "access-control-request-method" in request.headers;
    return isPreflight ? answerPreflight(request, reply) : undefined;
  });

  app.addHook("onRequest", async (request) => {
    // By the route that matched, not by the text of the path: many texts match one route.
    if (request.routeOptions.config.public === true) return;
    recordOf(request).token = access().auth.check(request.headers);
  });

  app.addHook("onRequest", async (request) => {
    // Before the body is read.
    // The router takes `*`, which stands for the whole server, for `/`.
    if (request.is404 || request.url === "*") throw noSuchRoute(request.url);
  });
}

function addErrorReplies(app: FastifyInstance, { logger }: RouteContext): void {
  app.setErrorHandler((error, request, reply) => {
    const fault = toApiError(error);
    recordOf(request).fail(fault);
    logFault(logger, request.id, fault);
    sendError(request, reply, fault);
  });
  app.setNotFoundHandler((request) => {
    throw noSuchRoute(request.url);
  });
}

/** A preflight carries no token, so this comes before authentication. The request that follows it is authenticated. */
function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const wanted = headers["access-control-request-headers"];
  const isPrivate = headers["access-control-request-private-network"] === "true";
  return reply
    .headers({
      "access-control-allow-methods": "GET, POST, DELETE",
      ...(wanted !== undefined && { "access-control-allow-headers": wanted }),
      ...(isPrivate && { "access-control-allow-private-network": "true" }),
      "access-control-max-age": "600",
    })
    .code(204)
    .send();
}
