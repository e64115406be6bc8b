import type { FastifyContextConfig, FastifyInstance, HTTPMethods, RouteHandlerMethod } from "fastify";
import type { ErrorShape } from "../dialects/dialect.js";
import type { Operation } from "../dialects/operation.js";
import { CodexNativeApiError } from "../errors.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Answered without a token. */
    readonly public?: boolean;
    /** Requested so often that a log line each would hide all others. Refusals are logged all the same. */
    readonly quiet?: boolean;
    /** An empty body is an error here: it is no JSON. */
    readonly needsBody?: boolean;
    /** How its errors look. Default: OpenAI's shape. */
    readonly errors?: ErrorShape;
    readonly operation?: Operation;
  }
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** The service answers no other method, whatever the path. */
export function isRoutedMethod(method: string): boolean {
  return methods.some((known) => known === method);
}

/** An operation, as it is described, with what answers it: a route is not served without its description. */
export interface Endpoint extends Operation {
  readonly handler: RouteHandlerMethod;
}

type Endpoints = Partial<Record<"GET" | "POST" | "DELETE", Endpoint>>;

/** A route, for the OpenAPI document. */
export interface DescribedRoute {
  readonly method: string;
  readonly url: string;
  readonly isPublic: boolean;
  readonly operation: Operation;
}

/** Those that are added to the app from now on. */
export function collectRoutes(app: FastifyInstance): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook("onRoute", ({ method, url, config }) => {
    const { operation, public: isPublic = false } = config ?? {};
    // fastify adds HEAD beside GET by itself.
    if (operation === undefined || typeof method !== "string" || method === "HEAD") return;
    routes.push({ method, url, isPublic, operation });
  });
  return routes;
}

/** Registers a path with all its methods: HEAD beside GET, and 405 for every other. */
export function addRoute(
  app: FastifyInstance,
  url: string,
  endpoints: Endpoints,
  config: FastifyContextConfig = {},
): void {
  const allowed = new Set<HTTPMethods>();
  for (const method of ["GET", "POST", "DELETE"] as const) {
    const endpoint = endpoints[method];
    if (endpoint === undefined) continue;
    const { handler, ...operation } = endpoint;
    allowed.add(method);
    // fastify answers HEAD itself where there is a GET.
    if (method === "GET") allowed.add("HEAD");
    app.route({ method, url, handler, config: { ...config, operation } });
  }
  const allow = [...allowed].join(", ");
  app.route({
    method: methods.filter((method) => !allowed.has(method)),
    url,
    config,
    // Before the body is read, which may be of any size and kind.
    onRequest: async (_request, reply) => {
      reply.header("allow", allow);
      throw new CodexNativeApiError("method_not_allowed", `This route answers ${allow} only.`);
    },
    handler: () => undefined,
  });
}
