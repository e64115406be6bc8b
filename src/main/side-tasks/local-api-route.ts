/** First choice: the service on loopback, which has the threads, the queue and the login already. */
import type { JsonObject } from "../../workers/contract/json.js";
import { isErrorCode } from "../errors.js";
import { parseLocalApiUrl } from "./addresses.js";
import { readServiceDecision } from "./decision-answers.js";
import { failureOfCode, type SideTaskFailure } from "./fall-through.js";
import type { HttpClient } from "./http-client.js";
import { collectText, cutShort, readReply } from "./output-text.js";
import type { RouteAnswer, SideTaskRoute } from "./route.js";
import { RouteFailure } from "./route-failure.js";
import { sideTaskClasses } from "./task-classes.js";
import type { LocalApiSettings } from "./types.js";
import { readResponse, refusedBy, type WireResponse } from "./wire-answers.js";

interface LocalApiOptions {
  /** Null where the host has switched the route off. */
  readonly settings: LocalApiSettings | null;
  /** Whether the service is in this process: then its turns need no HTTP, whichever port it has now. */
  readonly isInProcess: boolean;
}

export function makeLocalApiRoute(
  { settings, isInProcess }: LocalApiOptions,
  http: HttpClient,
): SideTaskRoute {
  return {
    name: "localhost_api",
    timeoutMs: settings?.timeoutMs ?? null,
    refuse: ({ taskClass, provider }) => {
      if (isInProcess) return "in_process";
      if (settings === null) return "not_configured";
      if (!serves(settings.taskClasses, taskClass)) return "class_not_eligible";
      return provider === "openai-native" ? null : "provider_not_native";
    },
    placeOf: () => `localhost_api ${settings?.baseUrl ?? ""}`,
    run: async (task, signal) => {
      if (settings === null) throw new Error("The localhost route is not configured.");
      const answer = await http.postJson({
        url: `${parseLocalApiUrl(settings.baseUrl)}${task.asked === null ? "/v1/responses" : "/v1/decisions"}`,
        token: settings.authToken,
        body: task.body,
        signal,
      });
      if (answer.status !== 200) throw refusedBy("service", answer, judgeCode);
      const read = task.asked === null ? readOk(answer.body) : readServiceDecision(answer.body, task.asked);
      if (read !== null) return read;
      const message = `The answer is not ${task.asked === null ? "a response of the Responses API" : "a decision about these questions"}.`;
      throw new RouteFailure("bad_answer", { code: "bad_answer", message });
    },
  };
}

/** A list that leaves out none of the router's own classes leaves out none of the host's. */
function serves(classes: readonly string[], taskClass: string): boolean {
  return classes.includes(taskClass) || sideTaskClasses.every((name) => classes.includes(name));
}

/** A status without a code of this service's comes from another server, or from a proxy before this one. */
const byStatus: Readonly<Record<number, SideTaskFailure>> = {
  429: "rate_limited",
  502: "connection_lost",
  503: "unhealthy",
  504: "route_timeout",
};

function judgeCode(code: string, status: number): SideTaskFailure {
  if (isErrorCode(code)) return failureOfCode[code];
  return byStatus[status] ?? (status >= 500 ? "internal" : "misconfigured");
}

/** Null where the body is not a response. */
function readOk(body: JsonObject | null): RouteAnswer | null {
  const response = readResponse(body);
  if (response === null) return null;
  const { id, status, output, usage, model, native_api: native } = response;
  if (status === "failed" || status === "cancelled") throw judgeFailed(response);
  if (status !== "completed")
    throw cutShort(response.incomplete_details?.reason ?? status, collectText(output));
  return { reply: readReply(output), responseId: id, usage, model, native };
}

function judgeFailed({ status, error }: WireResponse): RouteFailure {
  const code = error?.code ?? (status === "cancelled" ? "turn_cancelled" : "internal_error");
  return new RouteFailure(isErrorCode(code) ? failureOfCode[code] : "internal", {
    code,
    message: error?.message ?? `The response ended as ${status}.`,
  });
}
