/** Puts routes and guards together. The order of the guards is the order of the checks in each request. */

import type { Server } from "node:http";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Dialect } from "../dialects/dialect.js";
import { CodexNativeApiError } from "../errors.js";
import type { AccessPolicy } from "./access-policy.js";
import { type BodyLimits, IncomingBody } from "./body/incoming-body.js";
import type { JsonBounds } from "./body/json-scan.js";
import { commonHeaders } from "./common-headers.js";
import { EarlyAnswers } from "./early-answer.js";
import { sendError, toApiError } from "./error-reply.js";
import { cutStalledReader } from "./event-stream.js";
import type { InFlight } from "./in-flight.js";
import { readJsonBodies } from "./json-body.js";
import { createHttpServer } from "./listener.js";
import { MalformedRequests } from "./malformed-request.js";
import { checkHead } from "./request-head.js";
import { requestIdOf } from "./request-id.js";
import { logRequest, observationOf, RequestRecord, recordKey, recordOf } from "./request-record.js";
import { addModelRoutes } from "./routes/models.js";
import { addHealthRoute, addMetricsRoute, addOpenApiRoute, addProbeRoutes } from "./routes/state.js";
import { addStoredResponseRoutes } from "./routes/stored-responses.js";
import { addTurnRoute } from "./routes/turns.js";
import {
  type CodexNativeApiServerOptions,
  defaultListenerLimits,
  type RouteContext,
} from "./server-options.js";

export interface AppParts {
  readonly options: CodexNativeApiServerOptions;
  readonly dialects: readonly Dialect[];
  readonly context: RouteContext;
  readonly access: AccessPolicy;
  readonly bodyLimits: BodyLimits;
  readonly jsonBounds: () => JsonBounds;
  readonly inFlight: InFlight;
  /** True once the server stops taking work. */
  readonly isClosing: () => boolean;
}

/** zod checks what comes in. Without a word here fastify loads two schema compilers at each start, for routes that have none. */
const noSchemas = () => () => {
  throw new Error("a route has a schema, and nothing compiles it");
};

export function buildApp(parts: AppParts): FastifyInstance {
  const { options, context, bodyLimits, inFlight } = parts;
  const limits = { ...defaultListenerLimits, ...options.limits };
  const earlyAnswers = new EarlyAnswers(() => bodyLimits.maxBytes);
  const malformed = new MalformedRequests(earlyAnswers, inFlight);
  const app = fastify({
    // The socket is ours to open and close: fastify's own close waits for streams without a limit.
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
  readJsonBodies(app, { bounds: parts.jsonBounds, share: context.loopShare });
  app.decorateRequest(recordKey, null);
  addGuards(app, parts, earlyAnswers);
  addErrorReplies(app, context);
  addRoutes(app, parts);
  return app;
}

/** Every route there is; `openapi/` describes each. */
export function addRoutes(
  app: FastifyInstance,
  {
    options,
    dialects,
    context,
    inFlight,
  }: Pick<AppParts, "dialects" | "context" | "inFlight"> & {
    readonly options: Pick<CodexNativeApiServerOptions, "metrics">;
  },
): void {
  addProbeRoutes(app, context);
  addOpenApiRoute(app, context);
  addHealthRoute(app, context);
  addMetricsRoute(app, options.metrics);
  addModelRoutes(app, context);
  for (const dialect of dialects) addTurnRoute(app, dialect, context, inFlight);
  addStoredResponseRoutes(app, context, inFlight);
}

function addGuards(app: FastifyInstance, parts: AppParts, earlyAnswers: EarlyAnswers): void {
  const { options, context, access, bodyLimits, inFlight, isClosing } = parts;
  const { logger } = context;

  app.addHook("onRequest", async (request, reply) => {
    const body = new IncomingBody(request.raw, reply.raw, bodyLimits);
    request.setDecorator(recordKey, new RequestRecord(context.clock(), body));
    if (request.routeOptions.config.quiet !== true) options.metrics?.noteRequest?.();
    inFlight.track(reply.raw, request.raw.socket, () => {
      body.release();
      const endedAtMs = context.clock();
      options.metrics?.observeRequest(observationOf(request, reply, endedAtMs));
      if (logger !== undefined) logRequest(logger, request, reply, endedAtMs);
    });
    reply.headers({ "x-request-id": request.id, ...commonHeaders });
    if (isClosing()) {
      reply.header("connection", "close");
      throw new CodexNativeApiError("native_runtime_unavailable", "The server is stopping.");
    }
    checkHead(request.raw);
  });

  app.addHook("onSend", (request, reply, _payload, done) => {
    cutStalledReader(reply.raw, context.limits);
    const { errorCode } = recordOf(request);
    const isGivenUp = errorCode === "request_timeout";
    if (earlyAnswers.prepare(request.raw, reply.raw, isGivenUp)) reply.header("connection", "close");
    // fastify ends every connection on which a body was refused, also where all of it has come and was not too much.
    else if (!isClosing() && errorCode !== "body_too_large") reply.removeHeader("connection");
    done();
  });

  app.addHook("onRequest", async (request, reply) => {
    const origin = access.guard.check(request.headers, request.raw.socket.localAddress);
    if (origin === null) return undefined;
    allowOrigin(reply, origin);
    if (!isPreflight(request)) return undefined;
    answerPreflight(request, reply);
    return reply;
  });

  app.addHook("onRequest", async (request) => {
    // By the route that matched and not by the text of the path, which can spell one route in many ways.
    if (request.routeOptions.config.public === true) return;
    recordOf(request).token = access.auth.check(request.headers);
  });

  app.addHook("onRequest", async (request) => {
    // Before the body is read.
    if (request.is404) throw noSuchRoute();
  });
}

function addErrorReplies(app: FastifyInstance, { logger }: RouteContext): void {
  app.setErrorHandler((error, request, reply) => {
    const fault = toApiError(error);
    recordOf(request).errorCode = fault.code;
    if (fault.code === "internal_error") {
      logger?.error(
        { event: "http.fault", request_id: request.id, err: fault.cause ?? fault },
        "request failed",
      );
    }
    sendError(request, reply, fault);
  });
  app.setNotFoundHandler(() => {
    throw noSuchRoute();
  });
}

function noSuchRoute(): CodexNativeApiError {
  return new CodexNativeApiError("route_not_found", "There is no such route.");
}

const exposed = "x-request-id, x-should-retry, retry-after";
const preflightSeconds = "600";

function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-expose-headers", exposed);
  reply.header("vary", "origin");
}

function isPreflight(request: FastifyRequest): boolean {
  return request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
}

/** A preflight carries no token, so it is answered before authentication; the request it asks for is not spared. */
function answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("access-control-allow-methods", "GET, POST, DELETE");
  const wanted = request.headers["access-control-request-headers"];
  if (wanted !== undefined) reply.header("access-control-allow-headers", wanted);
  if (request.headers["access-control-request-private-network"] === "true") {
    reply.header("access-control-allow-private-network", "true");
  }
  reply.header("access-control-max-age", preflightSeconds);
  reply.code(204).send();
}
