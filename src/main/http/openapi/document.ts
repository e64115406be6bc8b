/** The OpenAPI document of this service, made of the schemas and tables that the service itself goes by. */

import { limits } from "../../../workers/contract/limits.js";
import { turnPriorities } from "../../../workers/contract/turn-priority.js";
import { keepAliveHeader, keepAliveValue } from "../json-keep-alive.js";
import { priorityHeader, timeoutHeader } from "../turn-terms.js";
import { answerSchemas } from "./answers/index.js";
import { describeErrorExamples } from "./error-answers.js";
import { toJsonSchemas } from "./json-schemas.js";
import { modelPaths, statePaths } from "./operations/state.js";
import { chatCompletionPaths, responsePaths } from "./operations/turns.js";
import { describeRequestBodies } from "./request-bodies.js";
import type { OpenApiDocument } from "./types.js";

interface DocumentOptions {
  /** This service's version. */
  readonly version: string;
  /** Where it listens; `/` stands for where the document was read. */
  readonly serverUrl: string;
  /** Whether answers may hold nothing beside what is described. For tests: clients must take more. Default: no. */
  readonly closed?: boolean;
}

const description = `The logged-in Codex of one machine as an OpenAI-compatible API on localhost.

What is not said here is as in OpenAI's own reference. Beside OpenAI's fields answers have \`native_api\`: who ran a request, and how its
ids map to Codex's. Every error has OpenAI's shape and a stable \`code\`; a path that is no route answers \`route_not_found\`, another
method \`method_not_allowed\`. GET routes answer HEAD too.`;

export function buildOpenApiDocument({
  version,
  serverUrl,
  closed = false,
}: DocumentOptions): OpenApiDocument {
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
    tags: [
      { name: "Responses", description: "OpenAI's Responses API." },
      { name: "Chat completions", description: "The same turns in the older shape." },
      { name: "Models", description: "What Codex's catalog holds for this login." },
      { name: "State", description: "For programs that watch the service." },
    ],
    // A service may be set up without a token.
    security: [{ bearer: [] }, {}],
    paths: { ...responsePaths, ...chatCompletionPaths, ...modelPaths, ...statePaths },
    components: {
      schemas: { ...describeRequestBodies(), ...toJsonSchemas(answerSchemas, { io: "output", closed }) },
      examples: describeErrorExamples(),
      headers: {
        RequestId: {
          description: "Names the request in the service's log.",
          schema: { type: "string", pattern: "^[A-Za-z0-9_.:-]{1,128}$" },
        },
        RetryAfter: {
          description: "Seconds to wait, where waiting helps.",
          schema: { type: "integer", minimum: 1 },
        },
        ShouldRetry: {
          description: "`false` where the same request cannot succeed later. Official clients obey it.",
          schema: { type: "string", const: "false" },
        },
        Challenge: { description: "As RFC 6750 has it.", schema: { type: "string" } },
      },
      parameters: {
        RequestId: {
          name: "x-request-id",
          in: "header",
          description: "Comes back in the answer. Default, and in place of one of another form: a new one.",
          schema: { type: "string", pattern: "^[A-Za-z0-9_.:-]{1,128}$" },
        },
        Timeout: {
          name: timeoutHeader,
          in: "header",
          description:
            "How long the caller waits, in milliseconds from the request's arrival. A turn that has not started by then is refused with `queue_timeout`, one that runs ends with `turn_timeout`.",
          schema: { type: "integer", minimum: 1, maximum: limits.maxTimerMs },
        },
        Priority: {
          name: priorityHeader,
          in: "header",
          description: "`background` lets interactive turns go first. The body's `priority` goes before it.",
          schema: { type: "string", enum: turnPriorities },
        },
        KeepAlive: {
          name: keepAliveHeader,
          in: "header",
          description:
            "For a JSON answer: where the model is silent for long, status 200 and the headers are sent early and a space every 15 seconds, which JSON allows before the body. What fails after that is told in the body alone.",
          schema: { type: "string", const: keepAliveValue },
        },
      },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The token that the service was started with. Without one, any is taken.",
        },
      },
    },
  };
}
