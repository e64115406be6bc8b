import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { NamedToken } from "../../config/named-token.js";
import { json } from "../../dialects/operation.js";
import { CodexNativeApiError } from "../../errors.js";
import type { NamedModel, NativeModel, NativeRuntimeHealth } from "../../runtime/types.js";
import { describeNoTurn } from "../health-report.js";
import { addRoute } from "../method-routes.js";
import { noSuchRoute } from "../missing-routes.js";
import { recordOf } from "../request-record.js";
import type { RouteContext } from "../server-options.js";
import { mayUseModel, resolveAllowed } from "../turn-terms.js";
import type { Model, ModelList } from "../wire-answers.js";

const routePath = "/v1/models";

export function addModelRoutes(app: FastifyInstance, { runtime }: RouteContext): void {
  addRoute(app, routePath, {
    GET: {
      id: "listModels",
      tag,
      summary: "The models of Codex's catalog, without hidden ones",
      answers: { 200: json("ModelList", "The catalog of this login.") },
      errors: ["native_login_required"],
      handler: async (request) => {
        const { token } = recordOf(request);
        const models = await runtime.listModels();
        const health = runtime.health();
        const entries = listEntries(models, health, token);
        const defaultId = defaultModelOf(entries, health, token);
        const list: ModelList = {
          object: "list",
          data: entries.map((entry) => describeEntry(entry, health, entry.id === defaultId)),
          native_api: { ...describeNoTurn(health, routePath), catalog_checked: isChecked(health) },
        };
        return list;
      },
    },
  });

  addRoute(app, `${routePath}/:id`, {
    GET: {
      id: "getModel",
      tag,
      summary: "One model of the catalog",
      path,
      answers: { 200: json("Model", "The model.") },
      errors: ["model_not_allowed", "model_not_found", "native_login_required"],
      handler: async (request) => {
        const { id } = path.parse(request.params);
        // `/v1/models/` is no route: the router takes the empty text after the slash for an id.
        if (id === "") throw noSuchRoute(request.url);
        const { token } = recordOf(request);
        const models = await runtime.listModels();
        const named = await resolveAllowed(id, token, { runtime });
        const health = runtime.health();
        const entry = entryOf(id, named, models, !isChecked(health));
        if (entry === null) {
          const why = isChecked(health)
            ? "is not in the catalog of this Codex login"
            : "is not in Codex's catalog; that of your model provider cannot be read here, so requests may name it all the same";
          throw new CodexNativeApiError("model_not_found", `The model '${id.slice(0, 64)}' ${why}.`, {
            param: "model",
          });
        }
        const isDefault = id === defaultModelOf(listEntries(models, health, token), health, token);
        return describeEntry(entry, health, isDefault);
      },
    },
  });
}

const tag = { name: "Models", description: "Codex's catalog for this login." };

const path = z.object({ id: z.string().describe("Id of the model.") });

/** A name that requests may use. */
interface ModelEntry {
  readonly id: string;
  readonly model: NativeModel;
  /** Null for a model's own id. */
  readonly standsFor: Pick<NamedModel, "model" | "effort" | "serviceTier"> | null;
}

/** The aliases, and the models whose ids are no aliases. One that stands for nothing is left out: no request may name it. */
function listEntries(
  models: readonly NativeModel[],
  health: NativeRuntimeHealth,
  token: NamedToken | null,
): readonly ModelEntry[] {
  const { aliases = [] } = health;
  const names = new Set(aliases.map(({ name }) => name));
  const own = models
    .filter(({ id }) => !names.has(id) && mayUseModel(token, id))
    .map((model) => ({ id: model.id, model, standsFor: null }));
  const more = aliases
    .filter(({ name, model }) => mayUseModel(token, model, name))
    .flatMap(
      ({ name, ...standsFor }) =>
        entryOf(name, { ...standsFor, alias: name }, models, !isChecked(health)) ?? [],
    );
  return [...own, ...more];
}

/** Null for a model that is not listed. An alias is its own proof where no catalog can be held against it. */
function entryOf(
  id: string,
  named: NamedModel,
  models: readonly NativeModel[],
  isOpen: boolean,
): ModelEntry | null {
  const listed = models.find((candidate) => candidate.id === named.model);
  const model = listed ?? (isOpen && named.alias !== null ? unlistedModel(named.model) : null);
  if (model === null) return null;
  return { id, model, standsFor: id === model.id && named.alias === null ? null : named };
}

/** One of a provider of the user's own: nothing is known of it but its id. */
function unlistedModel(id: string): NativeModel {
  return {
    id,
    displayName: id,
    description: "",
    isDefault: false,
    hidden: false,
    defaultReasoningEffort: null,
    supportedReasoningEfforts: [],
    inputModalities: [],
    serviceTiers: [],
  };
}

function isChecked({ catalog }: NativeRuntimeHealth): boolean {
  return catalog?.isChecked !== false;
}

/** The model of a request that names none, where it is listed; else Codex's own default, or the first: exactly one is. */
function defaultModelOf(
  entries: readonly ModelEntry[],
  { catalog }: NativeRuntimeHealth,
  token: NamedToken | null,
): string | undefined {
  const wanted = token?.models?.[0] ?? catalog?.defaultModel;
  const found =
    entries.find(({ id }) => id === wanted) ?? entries.find(({ model }) => model.isDefault) ?? entries[0];
  return found?.id;
}

function describeEntry(
  { id, model, standsFor }: ModelEntry,
  health: NativeRuntimeHealth,
  isDefault: boolean,
): Model {
  const { supportedReasoningEfforts: efforts } = model;
  const effort = standsFor?.effort ?? model.defaultReasoningEffort;
  return {
    id,
    object: "model",
    // The catalog has no time of creation; OpenAI's clients want a number.
    created: 0,
    owned_by: health.providerProfileId,
    display_name: standsFor === null ? model.displayName : id,
    default: isDefault,
    capabilities: { supported_reasoning_efforts: efforts, default_reasoning_effort: effort },
    native_api: {
      ...describeNoTurn(health, routePath),
      display_name: model.displayName,
      description: model.description,
      is_default: standsFor === null && model.isDefault,
      default_reasoning_effort: effort,
      supported_reasoning_efforts: efforts,
      input_modalities: model.inputModalities,
      service_tiers: model.serviceTiers,
      stands_for: standsFor && {
        model: standsFor.model,
        effort: standsFor.effort,
        service_tier: standsFor.serviceTier,
      },
    },
  };
}
