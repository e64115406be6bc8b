import type { FastifyInstance, HTTPMethods, RouteHandlerMethod } from "fastify";
import type { ErrorShape } from "../dialects/dialect.js";
import { CodexNativeApiError } from "../errors.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Answered without a token. */
    readonly public?: boolean;
    /** Asked for so often that a log line each would drown the rest. What is refused is logged all the same. */
    readonly quiet?: boolean;
    /** Of no use without a body: one that is empty is no JSON. */
    readonly needsBody?: boolean;
    /** How its errors look. Default: OpenAI's shape. */
    readonly errors?: ErrorShape;
  }
}

interface RouteTraits {
  readonly public?: boolean;
  readonly quiet?: boolean;
  readonly errors?: ErrorShape;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Others are never routed, whatever the path. */
export function isRoutedMethod(method: string): boolean {
  return methods.some((known) => known === method);
}

type Handlers = Partial<Record<Exclude<(typeof methods)[number], "HEAD">, RouteHandlerMethod>> & {
  readonly needsBody?: boolean;
};

/** Registers a path with all its methods: HEAD beside GET, and 405 for every other. */
export function addRoute(
  app: FastifyInstance,
  url: string,
  handlers: Handlers,
  traits: RouteTraits = {},
): void {
  const allowed = new Set<HTTPMethods>();
  for (const method of methods) {
    const handler = method === "HEAD" ? undefined : handlers[method];
    if (handler === undefined) continue;
    allowed.add(method);
    // fastify answers HEAD itself where there is a GET.
    if (method === "GET") allowed.add("HEAD");
    app.route({ method, url, handler, config: { ...traits, needsBody: handlers.needsBody === true } });
  }
  const allow = [...allowed].join(", ");
  app.route({
    method: methods.filter((method) => !allowed.has(method)),
    url,
    config: traits,
    // Before the body is read, which may be of any size and kind.
    onRequest: async (_request, reply) => {
      reply.header("allow", allow);
      throw new CodexNativeApiError("method_not_allowed", `This route answers ${allow} only.`);
    },
    handler: () => undefined,
  });
}
