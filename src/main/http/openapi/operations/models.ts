import type { PathItem } from "../types.js";
import { describeOperation, jsonAnswer } from "./operation.js";

const tag = "Models";

export const modelPaths: Readonly<Record<string, PathItem>> = {
  "/v1/models": {
    get: describeOperation({
      id: "listModels",
      tag,
      summary: "The models of Codex's catalog, hidden ones left out",
      answers: { 200: { description: "The catalog of this login.", content: jsonAnswer("ModelList") } },
      errors: ["native_login_required"],
    }),
  },
  "/v1/models/{id}": {
    get: describeOperation({
      id: "getModel",
      tag,
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
