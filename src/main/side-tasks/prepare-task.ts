/**
 * A side task with its class's settings laid under it, as a request of the Responses API and as the turn that this service would
 * make of that request: so a task is the same on every native route, and one that no route could run is refused here.
 */

import { findNotJson } from "../../workers/contract/json.js";
import { limits } from "../../workers/contract/limits.js";
import { toResponsesTurn } from "../dialects/responses/decode.js";
import { parseResponsesRequest } from "../dialects/responses/request-schema.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";
import { findProviderFault } from "./addresses.js";
import type { OutputCheck, OutputSchemas } from "./output-schema.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import { isSideTaskClass, type SideTaskClass, type SideTaskClassSettings } from "./task-classes.js";
import type { ExternalProvider, SideTaskRequest } from "./types.js";

export interface PreparedTask {
  readonly taskClass: SideTaskClass;
  readonly timeoutMs: number;
  /** The host's provider kind. */
  readonly provider: string;
  /** Null where the task has to stay away from any. */
  readonly external: ExternalProvider | null;
  /** Body of `POST /v1/responses`. */
  readonly body: JsonObject;
  readonly turn: IsolatedTurnRequest;
  readonly instructions: string | null;
  readonly outputSchema: JsonObject | null;
  /** Null where text is all that is asked for. */
  readonly check: OutputCheck | null;
}

export interface TaskDefaults {
  readonly classes: Readonly<Record<SideTaskClass, SideTaskClassSettings>>;
  readonly external: ExternalProvider | null;
  readonly schemas: OutputSchemas;
}

/** @throws CodexNativeApiSideTaskError `bad_request` */
export function prepareTask(request: SideTaskRequest, defaults: TaskDefaults): PreparedTask {
  const param = findNotJson(readFields(request));
  if (param !== null) throw badRequest(param, "It has no form in JSON.");
  return prepare(request, defaults);
}

/** All that is sent or logged. A host's object may have getters, and they may throw. */
function readFields(request: SideTaskRequest): object {
  try {
    const { taskClass, input, instructions, outputSchema, model, effort, metadata, provider, fallback } =
      request;
    return { taskClass, input, instructions, outputSchema, model, effort, metadata, provider, fallback };
  } catch (error) {
    throw new CodexNativeApiSideTaskError("bad_request", "The task cannot be read.", { cause: error });
  }
}

function prepare(request: SideTaskRequest, defaults: TaskDefaults): PreparedTask {
  const { taskClass } = request;
  if (!isSideTaskClass(taskClass)) {
    throw badRequest("taskClass", `There is no task class ${JSON.stringify(taskClass)}.`);
  }
  const settings = defaults.classes[taskClass];
  const outputSchema = request.outputSchema ?? settings.outputSchema;
  const instructions = composeInstructions(request, outputSchema === null ? settings.outputHint : null);
  const body = composeBody(request, settings, { instructions, outputSchema });
  return {
    taskClass,
    timeoutMs: checkTimeout(request.timeoutMs ?? settings.timeoutMs),
    provider: request.provider ?? "openai-native",
    external: chooseExternal(request.fallback, defaults.external),
    body,
    turn: composeTurn(body),
    instructions,
    outputSchema,
    check: outputSchema === null ? null : compile(outputSchema, defaults.schemas),
  };
}

function chooseExternal(
  override: SideTaskRequest["fallback"],
  usual: ExternalProvider | null,
): ExternalProvider | null {
  if (override === false) return null;
  if (override === undefined) return usual;
  const fault = findProviderFault(override);
  if (fault !== null) throw badRequest(`fallback.${fault.field}`, fault.problem);
  return override;
}

function composeInstructions({ instructions }: SideTaskRequest, hint: string | null): string | null {
  // Joined with the hint, anything would pass for text.
  if (instructions !== undefined && typeof instructions !== "string") {
    throw badRequest("instructions", "It takes text.");
  }
  const parts = [instructions ?? "", hint ?? ""].filter((part) => part !== "");
  return parts.length === 0 ? null : parts.join("\n\n");
}

function composeBody(
  request: SideTaskRequest,
  settings: SideTaskClassSettings,
  answer: { readonly instructions: string | null; readonly outputSchema: JsonObject | null },
): JsonObject {
  const { taskClass, metadata } = request;
  const model = request.model ?? settings.model;
  const effort = request.effort ?? settings.effort;
  const { outputSchema, instructions } = answer;
  return {
    input: request.input,
    ...(instructions !== null && { instructions }),
    ...(model !== null && { model }),
    ...(effort !== null && { reasoning: { effort } }),
    text: {
      ...(outputSchema !== null && {
        format: { type: "json_schema", name: taskClass, schema: outputSchema },
      }),
      ...(settings.verbosity !== null && { verbosity: settings.verbosity }),
    },
    store: false,
    stream: false,
    metadata: {
      codexbridge: {
        ...(metadata?.eventMetadata !== undefined && { eventMetadata: metadata.eventMetadata }),
        ...(metadata?.threadMetadata !== undefined && { threadMetadata: metadata.threadMetadata }),
        taskClass,
      },
    },
  };
}

function composeTurn(body: JsonObject): IsolatedTurnRequest {
  try {
    const { request: turn } = toResponsesTurn(parseResponsesRequest(body), "ignore");
    refuseReferences([...turn.items]);
    return turn;
  } catch (error) {
    if (!(error instanceof CodexNativeApiError)) throw error;
    throw new CodexNativeApiSideTaskError("bad_request", error.message, {
      param: error.param,
      cause: error,
    });
  }
}

/** They name items of stored responses, and a side task has no part in any. */
function refuseReferences(items: readonly JsonObject[]): void {
  const at = items.findIndex(({ type }) => type === "item_reference");
  if (at >= 0) throw badRequest(`input[${at}]`, "A side task cannot refer to stored items.");
}

function checkTimeout(timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= limits.maxTimerMs) return timeoutMs;
  throw badRequest("timeoutMs", `It takes an integer from 1 to ${limits.maxTimerMs}.`);
}

function compile(schema: JsonObject, schemas: OutputSchemas): OutputCheck {
  try {
    return schemas.compile(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodexNativeApiSideTaskError("bad_request", `It is no JSON schema: ${reason}`, {
      param: "outputSchema",
      cause: error,
    });
  }
}

function badRequest(param: string, message: string): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param });
}
