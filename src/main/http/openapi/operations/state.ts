import type { PathItem } from "../types.js";
import { describeOperation, jsonAnswer, textAnswer } from "./operation.js";

export const statePaths: Readonly<Record<string, PathItem>> = {
  "/v1/health": {
    get: describeOperation({
      id: "getHealth",
      tag: "State",
      summary: "The state in detail",
      description: "Built from what is known already: reading it never waits for Codex.",
      answers: {
        200: { description: "Turns can run.", content: jsonAnswer("Health") },
        503: {
          description: "Turns cannot run now; `native_runtime.reason` says why.",
          content: jsonAnswer("Health"),
        },
      },
    }),
  },
  "/metrics": {
    get: describeOperation({
      id: "getMetrics",
      tag: "State",
      summary: "Metrics in Prometheus' text format",
      answers: {
        200: {
          description:
            "Every metric is in docs/operations.md. A host that gives the server no metrics has no such route.",
          content: { "text/plain": { schema: { type: "string" } } },
        },
      },
    }),
  },
  "/livez": {
    get: describeOperation({
      id: "getLiveness",
      tag: "State",
      summary: "Whether the process answers",
      isPublic: true,
      answers: { 200: { description: "It does.", content: textAnswer("ok\n") } },
    }),
  },
  "/readyz": {
    get: describeOperation({
      id: "getReadiness",
      tag: "State",
      summary: "Whether turns can run",
      isPublic: true,
      answers: {
        200: { description: "They can.", content: textAnswer("ready\n") },
        503: { description: "They cannot.", content: textAnswer("not ready\n") },
      },
    }),
  },
  "/openapi.json": {
    get: describeOperation({
      id: "getOpenApiDocument",
      tag: "State",
      summary: "This document",
      isPublic: true,
      answers: {
        200: {
          description: "OpenAPI 3.1.",
          content: { "application/json": { schema: { type: "object" } } },
        },
      },
    }),
  },
};

export const modelPaths: Readonly<Record<string, PathItem>> = {
  "/v1/models": {
    get: describeOperation({
      id: "listModels",
      tag: "Models",
      summary: "The models of Codex's catalog, hidden ones left out",
      answers: { 200: { description: "The catalog of this login.", content: jsonAnswer("ModelList") } },
      errors: ["native_login_required"],
    }),
  },
  "/v1/models/{id}": {
    get: describeOperation({
      id: "getModel",
      tag: "Models",
      summary: "One model of the catalog",
      parameters: [
        {
          name: "id",
          in: "path",
          required: true,
          description: "Id of the model.",
          schema: { type: "string" },
        },
      ],
      answers: { 200: { description: "The model.", content: jsonAnswer("Model") } },
      errors: ["model_not_allowed", "model_not_found", "native_login_required"],
    }),
  },
};
