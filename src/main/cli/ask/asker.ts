/** Sends a request to the running service, or to a Codex started for this command. Both answer as the service's API does. */
import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import { unmetObligations } from "../../dialects/answers/obligations.js";
import { parseDecision } from "../../dialects/decisions/decode.js";
import { DecisionBuilder } from "../../dialects/decisions/encode.js";
import { withDecisionModel } from "../../dialects/decisions/name-model.js";
import { toResponsesTurn } from "../../dialects/responses/decode.js";
import { ResponseEventStream } from "../../dialects/responses/encode.js";
import { parseResponsesRequest } from "../../dialects/responses/request-schema.js";
import type { ResponseEvent } from "../../dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../../errors.js";
import type { CliContext } from "../cli-context.js";
import type { LoadedConfig } from "../command.js";
import { refusalOfAnswer } from "../outcome.js";
import type { PrivateRuntime } from "../private-runtime.js";
import type { FoundService } from "../with-service.js";
import { followResponse, followTurn, type Progress } from "./progress.js";
import { watchRequest } from "./watch-request.js";

export interface Asker {
  listModels(): Promise<readonly string[]>;
  /**
   * Sends a request of the Responses API, gives its events to `take`, in order, and resolves with the first value that `take` returns;
   * null where it returns none. Rejects for a request that is refused.
   */
  ask<T>(
    body: JsonObject,
    take: (event: JsonObject) => Promise<T | null>,
    signal: AbortSignal,
  ): Promise<T | null>;
  /** Sends a request of `POST /v1/decisions`, and resolves with the body of its answer. Rejects for one that is refused or fails. */
  decide(body: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}

/** Who asks, and how it is followed. */
interface Asking {
  readonly context: CliContext;
  readonly progress: Progress;
}

const listTimeoutMs = 10_000;

export function askerOfService(
  { client, report }: Pick<FoundService, "client" | "report">,
  { context, progress }: Asking,
): Asker {
  const post = async (path: string, body: JsonObject, signal: AbortSignal) => {
    const requestId = newId("req");
    const stopWatching = progress.isShown
      ? watchRequest(client, requestId, context, progress)
      : () => undefined;
    try {
      return await client.post(path, body, signal, requestId);
    } finally {
      stopWatching();
    }
  };
  return {
    listModels: async () => {
      const answer = await client.get("/v1/models", listTimeoutMs);
      const models = answer.status === 200 ? answer.body?.data : null;
      if (!Array.isArray(models)) throw refusalOfAnswer(answer);
      return models.flatMap((model) => (isJsonObject(model) && !isAlias(model) ? [String(model.id)] : []));
    },
    ask: async (body, take, signal) => {
      const authMode = report.native_runtime.account?.authMode;
      const answer = await post("/v1/responses", withSummary(body, progress, authMode), signal);
      if (!("events" in answer)) throw refusalOfAnswer(answer);
      for await (const event of answer.events) {
        followResponse(progress, event);
        const value = await take(event);
        if (value !== null) return value;
      }
      return null;
    },
    decide: async (body, signal) => {
      const answer = await post("/v1/decisions", body, signal);
      if ("events" in answer || answer.status !== 200 || answer.body === null)
        throw refusalOfAnswer("events" in answer ? { status: answer.status, body: null } : answer);
      return answer.body;
    },
  };
}

/**
 * The request with a summary of the reasoning, if that is shown. Only a ChatGPT login is sure to get one: OpenAI refuses it to keys of
 * organisations that have not verified themselves.
 */
function withSummary(body: JsonObject, progress: Progress, authMode: string | undefined): JsonObject {
  if (!progress.isShown || authMode !== "chatgpt") return body;
  return { ...body, reasoning: { ...(isJsonObject(body.reasoning) && body.reasoning), summary: "auto" } };
}

/** An alias of a model that is listed itself. */
function isAlias({ native_api: native }: JsonObject): boolean {
  return isJsonObject(native) && isJsonObject(native.stands_for);
}

/** For a Codex that was started for the command. */
export function askerOfRuntime(
  runtime: PrivateRuntime,
  { config }: LoadedConfig,
  { context: { wallClock }, progress }: Asking,
): Asker {
  const onAdmission = (isAdmitted: boolean) => progress.enter(isAdmitted ? "starting" : "queued");
  return {
    listModels: async () => (await runtime.listModels()).map(({ id }) => id),
    // Ends with exactly one terminal event, or with none once the signal aborts.
    ask: async (body, take, signal) => {
      const asked = withSummary(body, progress, runtime.health().account?.authMode);
      const turn = toResponsesTurn(parseResponsesRequest(asked), config.http.unsupportedParameters);
      const stream = new ResponseEventStream(turn, { routePath: "/v1/responses", wallClock, newId });
      const output: JsonObject[] = [];
      const send = async (events: readonly ResponseEvent[]) => {
        for (const event of events) {
          const value = await take({ ...event });
          if (value !== null) return value;
        }
        return null;
      };
      let last: readonly ResponseEvent[];
      try {
        const result = await runtime.runIsolatedTurn(turn.request, {
          signal,
          onAdmission,
          onTurnStarted: (started) => {
            progress.enter("started");
            // Its first events hold nothing to print.
            stream.start(started);
          },
          onEvent: async (event) => {
            followTurn(progress, event);
            if (event.type === "item.completed") output.push(event.item);
            await send(stream.push(event));
          },
        });
        stream.start(result);
        if (signal.aborted) return null;
        const unmet = unmetObligations(turn.obligations, output);
        last = stream.end({ outcome: result.outcome, usage: result.usage, unmet });
      } catch (error) {
        if (signal.aborted) return null;
        last = stream.fail(CodexNativeApiError.fromUnknown(error));
      }
      return send(last);
    },
    decide: async (body, signal) => {
      const turn = parseDecision(body);
      const request = await withDecisionModel(turn.request, runtime);
      const decision = new DecisionBuilder(
        { ...turn, request },
        { routePath: "/v1/decisions", wallClock, newId },
      );
      const result = await runtime.runIsolatedTurn(request, {
        signal,
        onAdmission,
        onTurnStarted: () => progress.enter("started"),
        onEvent: (event) => {
          followTurn(progress, event);
          decision.push(event);
        },
      });
      decision.start(result);
      decision.end({ outcome: result.outcome, usage: result.usage, unmet: [] });
      return { ...decision.body };
    },
  };
}

export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll("-", "")}`;
}
