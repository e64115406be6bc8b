/** Last resort, by the host's explicit choice: an OpenAI-compatible provider elsewhere, in the dialect that it speaks. */
import { findStrictFault } from "../dialects/structured-output/strict-schema.js";
import type { JsonObject } from "../runtime/types.js";
import { parseProviderUrl } from "./addresses.js";
import { chatProvider } from "./chat-provider.js";
import type { ProviderDialect } from "./external-reasons.js";
import type { HttpClient } from "./http-client.js";
import type { PreparedTask } from "./prepare-task.js";
import { judgeProviderCode, type ProviderApi, type ProviderRequest } from "./provider-api.js";
import { responsesProvider } from "./responses-provider.js";
import type { SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import type { ExternalProvider } from "./types.js";
import { refusedBy } from "./wire-answers.js";

const apis: Readonly<Record<ProviderDialect, ProviderApi>> = {
  chat: chatProvider,
  responses: responsesProvider,
};

export function makeExternalRoute(http: Pick<HttpClient, "postJson">): SideTaskRoute {
  return {
    name: "external_provider",
    timeoutMs: null,
    refuse: ({ external, turn }) => {
      if (external === null) return "not_configured";
      return apiOf(external).accepts([...turn.items]) ? null : "input_not_supported";
    },
    placeOf: ({ external }) => `external_provider ${external?.baseUrl ?? ""}`,
    run: async (task, signal) => {
      const provider = task.external;
      if (provider === null) throw new Error("The external route is not configured.");
      const api = apiOf(provider);
      const answer = await http.postJson({
        url: `${parseProviderUrl(provider.baseUrl)}${api.path}`,
        token: provider.apiKey,
        body: api.compose(describeTask(task, provider)),
        signal,
      });
      if (answer.status !== 200) throw refusedBy("provider", answer, judgeProviderCode);
      const read = api.read(answer.body);
      if (read !== null) return { ...read, model: read.model ?? provider.model, native: null };
      const message = `The answer is not one of the provider's dialect (${provider.dialect ?? "chat"}).`;
      throw new RouteFailure("bad_answer", { code: "bad_answer", message });
    },
  };
}

function apiOf({ dialect = "chat" }: ExternalProvider): ProviderApi {
  return apis[dialect];
}

function describeTask(task: PreparedTask, { model, schemaIn }: ExternalProvider): ProviderRequest {
  const { taskClass, outputSchema, instructions, turn } = task;
  const inWords = outputSchema !== null && schemaIn === "words" ? describeSchema(outputSchema) : null;
  const isFormat = outputSchema !== null && inWords === null;
  return {
    model,
    items: [...turn.items],
    system: [instructions, inWords].filter((part) => part !== null),
    schema: isFormat
      ? { name: taskClass, schema: outputSchema, strict: findStrictFault(outputSchema) === null }
      : null,
  };
}

function describeSchema(schema: JsonObject): string {
  return `Your answer must be a single JSON value that is valid by this JSON schema: no other text before or after it, and no code fence.\n${JSON.stringify(schema)}`;
}
