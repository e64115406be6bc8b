/** The OpenAPI document of this service, made from its routes and from the schemas and tables that it uses itself. */

import { z } from "zod";
import { limits } from "../../../workers/contract/limits.js";
import { turnPriorities } from "../../../workers/contract/turn.js";
import * as parts from "../../dialects/answers/wire-types.js";
import * as chat from "../../dialects/chat-completions/wire-types.js";
import * as decisions from "../../dialects/decisions/wire-decision.js";
import type { Schema } from "../../dialects/operation.js";
import * as events from "../../dialects/responses/wire-events.js";
import * as items from "../../dialects/responses/wire-items.js";
import * as responses from "../../dialects/responses/wire-response.js";
import { keepAliveHeader, keepAliveValue } from "../json-keep-alive.js";
import type { DescribedRoute } from "../method-routes.js";
import * as requests from "../requests/wire-requests.js";
import { priorityHeader, timeoutHeader } from "../turn-terms.js";
import * as service from "../wire-answers.js";
import * as feed from "../wire-feed.js";
import * as page from "../wire-page.js";
import { describeErrorExamples } from "./error-answers.js";
import { type NamedSchemas, toJsonSchemas } from "./json-schemas.js";
import { describePaths, type Parameter } from "./paths.js";
import { describeRequestBodies } from "./request-bodies.js";

interface DocumentOptions {
  /** This service's version. */
  readonly version: string;
  /** Where it listens; `/` stands for the address that the document was read from. */
  readonly serverUrl: string;
  readonly routes: readonly DescribedRoute[];
  /** Whether answers may have described fields only. For tests: clients must accept more. Default: no. */
  readonly closed?: boolean;
}

const exported = {
  ...parts,
  ...chat,
  ...decisions,
  ...events,
  ...items,
  ...responses,
  ...service,
  ...feed,
  ...page,
  ...requests,
};

/** The schemas of all answers, by their names in the document. */
const answerSchemas: NamedSchemas = Object.fromEntries(
  Object.entries(exported)
    .flatMap(([name, schema]) =>
      /^[A-Z]/.test(name) && schema instanceof z.ZodType ? [[name, schema] as const] : [],
    )
    .sort(([one], [other]) => one.localeCompare(other)),
);

const requestId: Schema = { type: "string", pattern: "^[A-Za-z0-9_.:-]{1,128}$" };

const description = `The logged-in Codex of one machine as an OpenAI-compatible API on localhost.

What this document leaves out is as in OpenAI's own reference. Beside OpenAI's fields answers have \`native_api\`: who ran a request, and how its
ids map to Codex's. Every error has OpenAI's shape and a stable \`code\`; a path that is no route answers \`route_not_found\`, a method
that a route does not have \`method_not_allowed\`. GET routes answer HEAD too.`;

export type OpenApiDocument = ReturnType<typeof buildOpenApiDocument>;

export function buildOpenApiDocument({ version, serverUrl, routes, closed = false }: DocumentOptions) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Codex Native API",
      summary: "An OpenAI-compatible API over the Codex login of this machine.",
      description,
      version,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: serverUrl, description: "This machine." }],
    // Each once, in the order of their routes.
    tags: [...new Map(routes.map(({ operation: { tag } }) => [tag.name, tag])).values()],
    // A service may be set up without a token.
    security: [{ bearer: [] }, {}],
    paths: describePaths(routes),
    components: {
      schemas: { ...describeRequestBodies(), ...toJsonSchemas(answerSchemas, { io: "output", closed }) },
      examples: describeErrorExamples(),
      headers: {
        RequestId: { description: "Names the request in the service's log.", schema: requestId },
        RetryAfter: {
          description: "Seconds to wait, where waiting helps.",
          schema: { type: "integer", minimum: 1 },
        },
        ShouldRetry: {
          description: "`false` where the same request cannot succeed later. Official clients obey it.",
          schema: { type: "string", const: "false" },
        },
        Challenge: { description: "As in RFC 6750.", schema: { type: "string" } },
      },
      parameters: {
        RequestId: headerParameter(
          "x-request-id",
          "Comes back in the answer. Default, and in place of one of another form: a new one.",
          requestId,
        ),
        Timeout: headerParameter(
          timeoutHeader,
          "How long the caller waits, in milliseconds from the request's arrival. A turn that has not started by then is refused with `queue_timeout`, one that runs ends with `turn_timeout`.",
          { type: "integer", minimum: 1, maximum: limits.maxTimerMs },
        ),
        Priority: headerParameter(
          priorityHeader,
          "`background` lets interactive turns go first. The body's `priority` has precedence.",
          { type: "string", enum: turnPriorities },
        ),
        KeepAlive: headerParameter(
          keepAliveHeader,
          "For a JSON answer: where the model is silent for long, the service sends status 200 and the headers early, and a space every 15 seconds, which JSON allows before the body. An error after that is in the body alone.",
          { type: "string", const: keepAliveValue },
        ),
      },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A token of the service's configuration. Without one there, any is accepted.",
        },
      },
    },
  };
}

function headerParameter(name: string, description: string, schema: Schema): Parameter {
  return { name, in: "header", description, schema };
}
