/**
 * Checks a decision, and makes of it both a request of `POST /v1/decisions` and the turn that this service would make of that request. An
 * external provider gets that turn's messages and schema.
 */
import { isJsonObject } from "../../workers/contract/json.js";
import { parseDecision } from "../dialects/decisions/decode.js";
import { nameWithEffort } from "../dialects/decisions/name-model.js";
import type { AskedQuestion } from "../dialects/decisions/read-output.js";
import { CodexNativeApiError } from "../errors.js";
import {
  badRequest,
  chooseExternal,
  composeMetadata,
  type PreparedTask,
  pickRepeated,
  settingsOf,
  type TaskDefaults,
  timeoutOf,
} from "./prepare-task.js";
import type { SideTaskClass } from "./task-classes.js";
import type { SideTaskDecisionRequest } from "./types.js";

/** Of decisions that name none. */
export const decisionClass: SideTaskClass = "small_verification";

export type DecisionRequest = SideTaskDecisionRequest & { readonly taskClass: SideTaskClass };

export type PreparedDecision = PreparedTask & { readonly asked: readonly AskedQuestion[] };

/** @throws CodexNativeApiSideTaskError `bad_request`; `param` is the path of the field. */
export function prepareDecision(
  request: DecisionRequest,
  { classes, external }: Pick<TaskDefaults, "classes" | "external">,
): PreparedDecision {
  const { taskClass } = request;
  try {
    const body = composeBody(request, settingsOf(request, classes).model);
    const { request: turn, asked } = parseDecision(body);
    return {
      taskClass,
      timeoutMs: timeoutOf(request, classes),
      provider: request.provider ?? "openai-native",
      ...chooseExternal(request.fallback, external),
      body,
      turn,
      instructions: turn.instructions ?? null,
      outputSchema: isJsonObject(turn.outputSchema) ? turn.outputSchema : null,
      repeated: pickRepeated(request),
      check: null,
      asked,
    };
  } catch (error) {
    throw error instanceof CodexNativeApiError ? badRequest(error.param, error.message, error) : error;
  }
}

function composeBody(request: DecisionRequest, classModel: string | null) {
  const { input, questions, effort } = request;
  const model = nameWithEffort(request.model ?? classModel ?? undefined, effort);
  return { input, questions, ...(model !== undefined && { model }), metadata: composeMetadata(request) };
}
