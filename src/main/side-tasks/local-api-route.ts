/** First choice: the service on loopback, which has the threads, the queue and the login already. */

import type { JsonObject } from "../../workers/contract/json.js";
import { parseLocalApiUrl } from "./addresses.js";
import { failureOfCode, isKnownCode, type SideTaskFailure } from "./fall-through.js";
import type { HttpAnswer, HttpClient } from "./http-client.js";
import { collectText, cutShort, readAnswer } from "./output-text.js";
import type { PreparedTask } from "./prepare-task.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import type { LocalApiSettings, SideTaskSkipReason, SideTaskTarget } from "./types.js";
import { readErrorBody, readResponse, type WireResponse } from "./wire-answers.js";

export class LocalApiRoute implements SideTaskRoute {
  readonly name = "localhost_api";
  readonly #settings: LocalApiSettings | null;
  readonly #http: HttpClient;

  constructor(settings: LocalApiSettings | null, http: HttpClient) {
    this.#settings = settings;
    this.#http = http;
  }

  get timeoutMs(): number | null {
    return this.#settings?.timeoutMs ?? null;
  }

  refuse({ taskClass, provider }: PreparedTask): SideTaskSkipReason | null {
    if (this.#settings === null) return "not_configured";
    if (!this.#settings.taskClasses.includes(taskClass)) return "class_not_eligible";
    return provider === "openai-native" ? null : "provider_not_native";
  }

  placeOf(): string {
    return `localhost_api ${this.#settings?.baseUrl ?? ""}`;
  }

  async run(task: PreparedTask, signal: AbortSignal): Promise<RouteAnswer> {
    const settings = this.#settings;
    if (settings === null) throw new Error("The localhost route is not configured.");
    const { authToken } = settings;
    const answer = await this.#http.postJson({
      url: `${parseLocalApiUrl(settings.baseUrl)}/v1/responses`,
      headers: authToken === null ? {} : { authorization: `Bearer ${authToken}` },
      body: task.body,
      signal,
    });
    if (answer.status !== 200) throw judgeStatus(answer);
    return readOk(answer.body);
  }
}

function judgeStatus({ status, body, retryAfterMs }: HttpAnswer): RouteFailure {
  const error = readErrorBody(body);
  const code = error?.code ?? `http_${status}`;
  return new RouteFailure(isKnownCode(code) ? failureOfCode[code] : byStatus(status), {
    code,
    message: error?.message ?? `The service answered ${status}.`,
    param: error?.param ?? null,
    retryAfterMs,
  });
}

/** Without a code of ours it is not this service that answers, or something stands before it. */
function byStatus(status: number): SideTaskFailure {
  if (status === 429) return "rate_limited";
  if (status === 502) return "connection_lost";
  if (status === 503) return "unhealthy";
  if (status === 504) return "route_timeout";
  return status >= 500 ? "internal" : "misconfigured";
}

function readOk(body: JsonObject | null): RouteAnswer {
  const response = readResponse(body);
  if (response === null) {
    throw new RouteFailure("bad_answer", { code: "bad_answer", message: "The answer is no response." });
  }
  if (response.status === "failed" || response.status === "cancelled") throw judgeFailed(response);
  if (response.status !== "completed") {
    throw cutShort(response.incompleteReason ?? response.status, collectText(response.output));
  }
  return {
    outputText: readAnswer(response.output),
    responseId: response.id,
    usage: response.usage,
    model: response.model,
    native: describeTarget(response),
  };
}

function judgeFailed({ status, error }: WireResponse): RouteFailure {
  const code = error?.code ?? (status === "cancelled" ? "turn_cancelled" : "internal_error");
  return new RouteFailure(isKnownCode(code) ? failureOfCode[code] : "internal", {
    code,
    message: error?.message ?? `The response ended as ${status}.`,
  });
}

function describeTarget({ nativeApi }: WireResponse): SideTaskTarget | null {
  if (nativeApi === null) return null;
  const { request_target: target, response_mapping: mapping } = nativeApi;
  return {
    providerProfileId: target.provider_profile_id,
    providerKind: target.provider_kind,
    accountId: target.account_id,
    workerId: target.worker_id,
    appServerGeneration: target.app_server_generation,
    threadId: mapping.native_thread_id,
    turnId: mapping.native_turn_id,
  };
}
