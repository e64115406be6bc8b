import type { FastifyInstance } from "fastify";
import { isJsonObject } from "../../../workers/contract/json.js";
import { describeNativeApi } from "../../dialects/answers/native-api.js";
import { CodexNativeApiError } from "../../errors.js";
import type { NativeModel, NativeRuntimeHealth } from "../../runtime/types.js";
import { identityOf } from "../identity.js";
import { addRoute } from "../method-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { mayUseModel, requireModel } from "../turn-terms.js";

const routePath = "/v1/models";

export function addModelRoutes(app: FastifyInstance, { runtime }: RouteContext): void {
  addRoute(app, routePath, {
    GET: async (request) => {
      const { token } = recordOf(request);
      const models = (await runtime.listModels()).filter(({ id }) => mayUseModel(token, id));
      const health = runtime.health();
      return {
        object: "list",
        data: models.map((model) => describeModel(model, health)),
        native_api: describeNativeApi({ routePath, target: identityOf(health) }),
      };
    },
  });

  addRoute(app, `${routePath}/:id`, {
    GET: async (request) => {
      const id = idOf(request.params);
      const model = (await runtime.listModels()).find((candidate) => candidate.id === id);
      if (model === undefined) {
        const message = `The model '${id.slice(0, 64)}' is not in the catalog of this Codex login.`;
        throw new CodexNativeApiError("model_not_found", message, { param: "model" });
      }
      requireModel(recordOf(request).token, id);
      return describeModel(model, runtime.health());
    },
  });
}

function idOf(params: unknown): string {
  return isJsonObject(params) && typeof params.id === "string" ? params.id : "";
}

function describeModel(model: NativeModel, health: NativeRuntimeHealth) {
  return {
    id: model.id,
    object: "model",
    // The catalog does not say when; OpenAI's clients want a number.
    created: 0,
    owned_by: health.providerProfileId,
    native_api: {
      ...describeNativeApi({ routePath, target: identityOf(health) }),
      display_name: model.displayName,
      description: model.description,
      is_default: model.isDefault,
      default_reasoning_effort: model.defaultReasoningEffort,
      supported_reasoning_efforts: model.supportedReasoningEfforts,
      input_modalities: model.inputModalities,
      service_tiers: model.serviceTiers,
    },
  };
}
