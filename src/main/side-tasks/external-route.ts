/** Last resort, by the host's explicit choice: an OpenAI-compatible provider elsewhere, over Chat Completions. */
import { findStrictFault } from "../dialects/structured-output/strict-schema.js";
import type { JsonObject } from "../runtime/types.js";
import { toChatMessages } from "./chat-messages.js";
import type { SideTaskFailure } from "./fall-through.js";
import type { HttpAnswer, HttpClient } from "./http-client.js";
import { cutShort, refusedByModel, requireText } from "./output-text.js";
import type { PreparedTask } from "./prepare-task.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import type { ExternalProvider, SideTaskSkipReason } from "./types.js";
import { readCompletion, readErrorBody, type WireCompletion } from "./wire-answers.js";

export class ExternalRoute implements SideTaskRoute {
  readonly name = "external_provider";
  readonly timeoutMs = null;
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  refuse({ external, turn }: PreparedTask): SideTaskSkipReason | null {
    if (external === null) return "not_configured";
    return toChatMessages([...turn.items]) === null ? "input_not_supported" : null;
  }

  placeOf({ external }: PreparedTask): string {
    return `external_provider ${external?.baseUrl ?? ""}`;
  }

  async run(task: PreparedTask, signal: AbortSignal): Promise<RouteAnswer> {
    const provider = task.external;
    if (provider === null) throw new Error("The external route is not configured.");
    const { apiKey, baseUrl } = provider;
    const answer = await this.#http.postJson({
      url: `${baseUrl.replace(/\/+$/, "")}/chat/completions`,
      headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
      body: composeCompletion(task, provider),
      signal,
    });
    if (answer.status !== 200) throw judgeStatus(answer);
    const completion = readCompletion(answer.body);
    if (completion === null) {
      throw new RouteFailure("bad_answer", { code: "bad_answer", message: "The answer is no completion." });
    }
    return {
      outputText: readText(completion),
      responseId: completion.id,
      usage: completion.usage,
      model: completion.model ?? provider.model,
      native: null,
    };
  }
}

/** Nothing beside what every compatible provider knows: no effort, no metadata, no name of a model of Codex's. */
function composeCompletion(task: PreparedTask, { model, schemaIn }: ExternalProvider): JsonObject {
  const { outputSchema, instructions, turn } = task;
  const inWords = outputSchema !== null && schemaIn === "words" ? describeSchema(outputSchema) : null;
  const system = [instructions, inWords].filter((part) => part !== null);
  return {
    model,
    messages: [
      ...system.map((content) => ({ role: "system", content })),
      ...(toChatMessages([...turn.items]) ?? []),
    ],
    ...(outputSchema !== null && inWords === null && { response_format: composeFormat(task, outputSchema) }),
    stream: false,
  };
}

function composeFormat({ taskClass }: PreparedTask, schema: JsonObject): JsonObject {
  const strict = findStrictFault(schema) === null;
  return { type: "json_schema", json_schema: { name: taskClass, schema, strict } };
}

function describeSchema(schema: JsonObject): string {
  return `Your answer must be a single JSON value that is valid by this JSON schema: no other text before or after it, and no code fence.\n${JSON.stringify(schema)}`;
}

function readText({ finishReason, content, refusal }: WireCompletion): string {
  if (refusal !== null && refusal !== "") throw refusedByModel(refusal);
  if (finishReason === "content_filter") throw cutShort("content_filter", content);
  if (finishReason === "length") throw cutShort("max_output_tokens", content);
  return requireText(content);
}

function judgeStatus({ status, body, retryAfterMs }: HttpAnswer): RouteFailure {
  const error = readErrorBody(body);
  const code = error?.code ?? error?.type ?? `http_${status}`;
  return new RouteFailure(byCode.get(code) ?? byStatus(status), {
    code,
    message: error?.message ?? `The provider answered ${status}.`,
    param: error?.param ?? null,
    retryAfterMs,
  });
}

/** Codes that say more than their status. */
const byCode: ReadonlyMap<string, SideTaskFailure> = new Map([
  ["content_policy_violation", "content_policy"],
  ["content_filter", "content_policy"],
  ["insufficient_quota", "usage_limit"],
]);

const byExactStatus: Readonly<Record<number, SideTaskFailure>> = {
  401: "misconfigured",
  402: "usage_limit",
  403: "misconfigured",
  // The path and the model are the host's settings and not the task's.
  404: "misconfigured",
  405: "misconfigured",
  408: "route_timeout",
  429: "rate_limited",
  502: "connection_lost",
  503: "overloaded",
  504: "route_timeout",
  529: "overloaded",
};

function byStatus(status: number): SideTaskFailure {
  const exact = byExactStatus[status];
  if (exact !== undefined) return exact;
  if (status >= 500) return "internal";
  return status >= 400 ? "bad_request" : "misconfigured";
}
