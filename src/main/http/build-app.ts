/** Puts routes and guards together. The order of the guards is the order of the checks in each request. */
import type { Server } from "node:http";
import { type FastifyInstance, fastify } from "fastify";
import { CodexNativeApiError } from "../errors.js";
import type { AccessPolicy } from "./access-policy.js";
import { addRoutes } from "./add-routes.js";
import type { BodyLimits } from "./body-limits.js";
import { commonHeaders } from "./common-headers.js";
import { allowOrigin, answerPreflight, isPreflight } from "./cors.js";
import { sendError, toApiError } from "./error-reply.js";
import type { InFlight } from "./in-flight.js";
import { readJsonBodies } from "./json-body.js";
import { createHttpServer, refuseMalformed } from "./listener.js";
import { requestIdOf } from "./request-id.js";
import { logRequest, observationOf, RequestRecord, recordKey, recordOf } from "./request-record.js";
import {
  type CodexNativeApiServerOptions,
  defaultListenerLimits,
  type RouteContext,
} from "./server-options.js";
import { cutStalledReader } from "./stalled-reader.js";

export interface AppParts {
  readonly options: CodexNativeApiServerOptions;
  readonly context: RouteContext;
  readonly access: AccessPolicy;
  readonly bodyLimits: BodyLimits;
  readonly inFlight: InFlight;
  /** True once the server stops taking work. */
  readonly isClosing: () => boolean;
}

/** zod checks what comes in. Without a word here fastify loads two schema compilers at each start, for routes that have none. */
const noSchemas = () => () => {
  throw new Error("a route has a schema, and nothing compiles it");
};

export function buildApp(parts: AppParts): FastifyInstance {
  const { options, context } = parts;
  const limits = { ...defaultListenerLimits, ...options.limits };
  const app = fastify({
    // The socket is ours to open and close: fastify's own close waits for streams without a limit.
    serverFactory: (handler): Server => createHttpServer(limits, handler),
    clientErrorHandler: refuseMalformed,
    // No hook runs for these.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ "x-request-id": request.id, ...commonHeaders });
      sendError(request, reply, toApiError(error));
    },
    routerOptions: { maxParamLength: 512 },
    genReqId: (request) => requestIdOf(request.headers),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  readJsonBodies(app, parts.bodyLimits);
  app.decorateRequest(recordKey, null);
  addGuards(app, parts);
  addErrorReplies(app, context);
  addRoutes(app, parts);
  return app;
}

function addGuards(app: FastifyInstance, parts: AppParts): void {
  const { options, context, access, bodyLimits, inFlight, isClosing } = parts;
  const { logger } = context;

  app.addHook("onRequest", async (request, reply) => {
    const body = bodyLimits.open();
    request.setDecorator(recordKey, new RequestRecord(context.clock(), body));
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
  });

  app.addHook("onSend", (_request, reply, _payload, done) => {
    cutStalledReader(reply.raw, context.limits);
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
    throw new CodexNativeApiError("route_not_found", "There is no such route.");
  });
}
