/**
 * Checks a side task, adds its class's settings, and makes of it both a request of the Responses API and the turn that this service
 * would make of that request. So a task is the same on every native route, and one that no route could run is refused here.
 */
import { isJsonObject } from "../../workers/contract/json.js";
import { limits } from "../../workers/contract/limits.js";
import { includableMetadata } from "../dialects/answers/native-api.js";
import type { AskedQuestion } from "../dialects/decisions/read-output.js";
import { toResponsesTurn } from "../dialects/responses/decode.js";
import { parseResponsesRequest } from "../dialects/responses/request-schema.js";
import { CodexNativeApiError } from "../errors.js";
import type { IsolatedTurnRequest, JsonObject } from "../runtime/types.js";
import { findProviderFault } from "./addresses.js";
import { allExternalReasons, defaultExternalReasons, type ExternalReason } from "./external-reasons.js";
import type { OutputCheck, OutputSchemas } from "./output-schema.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import type { SideTaskClass, SideTaskClassSettings } from "./task-classes.js";
import { readTypedOutput } from "./typed-output.js";
import type { ExternalProvider, SideTaskRequest, SideTaskTarget } from "./types.js";

export interface PreparedTask {
  readonly taskClass: SideTaskClass;
  readonly timeoutMs: number;
  /** The host's provider kind. */
  readonly provider: string;
  /** Null where the task must not go to any. */
  readonly external: ExternalProvider | null;
  /** Reasons for which it may go to that provider. */
  readonly sentWhen: readonly ExternalReason[];
  /** Body of `POST /v1/responses`, of a decision of `POST /v1/decisions`. */
  readonly body: JsonObject;
  readonly turn: IsolatedTurnRequest;
  readonly instructions: string | null;
  readonly outputSchema: JsonObject | null;
  /** Metadata that the result repeats beside the native ids. */
  readonly repeated: Pick<SideTaskTarget, "eventMetadata" | "threadMetadata">;
  /** Null where the task asks for text. */
  readonly check: OutputCheck | null;
  /** What a decision asks; null for other tasks. */
  readonly asked: readonly AskedQuestion[] | null;
}

export interface TaskDefaults {
  readonly classes: Readonly<Record<string, SideTaskClassSettings>>;
  readonly external: ExternalProvider | null;
  readonly schemas: OutputSchemas;
}

/** @throws CodexNativeApiSideTaskError `bad_request` */
export function prepareTask(
  request: SideTaskRequest,
  defaults: TaskDefaults,
  /** Messages of the task's files. */
  files: readonly JsonObject[] = [],
): PreparedTask {
  const { taskClass } = request;
  const settings = settingsOf(request, defaults.classes);
  if (request.output !== undefined && request.outputSchema !== undefined)
    throw badRequest("output", "A task has an output or an outputSchema, not both.");
  const typed = request.output === undefined ? null : readTypedOutput(request.output);
  const outputSchema = typed?.jsonSchema ?? request.outputSchema ?? settings.outputSchema;
  const compiled = outputSchema === null ? null : compile(outputSchema, defaults.schemas);
  const instructions = composeInstructions(request, outputSchema === null ? settings.outputHint : null);
  const body = composeBody(request, settings, { instructions, outputSchema, files });
  return {
    taskClass,
    timeoutMs: timeoutOf(request, defaults.classes),
    provider: request.provider ?? "openai-native",
    ...chooseExternal(request.fallback, defaults.external),
    body,
    turn: composeTurn(body),
    instructions,
    outputSchema,
    repeated: pickRepeated(request),
    check: typed?.check ?? compiled,
    asked: null,
  };
}

/** For all routes together, the reading of files too. @throws CodexNativeApiSideTaskError `bad_request` */
export function timeoutOf(
  request: Pick<SideTaskRequest, "taskClass" | "timeoutMs">,
  classes: TaskDefaults["classes"],
): number {
  const timeoutMs = request.timeoutMs ?? settingsOf(request, classes).timeoutMs;
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= limits.maxTimerMs) return timeoutMs;
  throw badRequest("timeoutMs", `It must be an integer from 1 to ${limits.maxTimerMs}.`);
}

/** @throws CodexNativeApiSideTaskError `bad_request` */
export function settingsOf(
  { taskClass }: Pick<SideTaskRequest, "taskClass">,
  classes: TaskDefaults["classes"],
): SideTaskClassSettings {
  const isKnown = typeof taskClass === "string" && Object.hasOwn(classes, taskClass);
  const settings = isKnown ? classes[taskClass] : undefined;
  if (settings !== undefined) return settings;
  const shown = (JSON.stringify(taskClass) ?? "undefined").slice(0, maxShownChars);
  throw badRequest("taskClass", `Unknown task class ${shown}.`);
}

const maxShownChars = 120;

/** @throws CodexNativeApiSideTaskError `bad_request` */
export function chooseExternal(
  override: SideTaskRequest["fallback"],
  usual: ExternalProvider | null,
): Pick<PreparedTask, "external" | "sentWhen"> {
  if (override === undefined) return { external: usual, sentWhen: usual?.when ?? defaultExternalReasons };
  if (override === false) return { external: null, sentWhen: [] };
  if (!isJsonObject(override)) throw badRequest("fallback", "It must be a provider, or false.");
  const fault = findProviderFault(override);
  if (fault !== null) throw badRequest(`fallback.${fault.field}`, fault.problem);
  return { external: override, sentWhen: override.when ?? allExternalReasons };
}

function composeInstructions({ instructions }: SideTaskRequest, hint: string | null): string | null {
  // Joined with the hint, any value would become text.
  if (instructions !== undefined && typeof instructions !== "string")
    throw badRequest("instructions", "It must be text.");
  return [instructions, hint].filter((part) => part).join("\n\n") || null;
}

function composeBody(
  request: SideTaskRequest,
  settings: SideTaskClassSettings,
  {
    instructions,
    outputSchema,
    files,
  }: Pick<PreparedTask, "instructions" | "outputSchema"> & { readonly files: readonly JsonObject[] },
): JsonObject {
  const { taskClass, input } = request;
  const model = request.model ?? settings.model;
  const effort = request.effort ?? settings.effort;
  return {
    input: addFiles(files, input),
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
    metadata: composeMetadata(request),
  };
}

/** For the service's log. No model gets it. */
export function composeMetadata({
  taskClass,
  metadata,
}: Pick<SideTaskRequest, "taskClass" | "metadata">): JsonObject {
  const { eventMetadata, threadMetadata } = metadata ?? {};
  return {
    codexbridge: {
      ...(eventMetadata !== undefined && { eventMetadata }),
      ...(threadMetadata !== undefined && { threadMetadata }),
      taskClass,
    },
  };
}

function addFiles(files: readonly JsonObject[], input: SideTaskRequest["input"]): unknown {
  if (files.length === 0) return input;
  if (typeof input === "string") return [...files, { role: "user", content: input }];
  // Anything else is at fault, which the request's schema says.
  return Array.isArray(input) ? [...files, ...input] : input;
}

/** @throws CodexNativeApiSideTaskError `bad_request` */
export function pickRepeated({ metadata }: Pick<SideTaskRequest, "metadata">): PreparedTask["repeated"] {
  if (!isJsonObject(metadata ?? {})) throw badRequest("metadata", "It must be an object.");
  const include: unknown = metadata?.include ?? [];
  if (!Array.isArray(include) || !include.every(isIncludable))
    throw badRequest("metadata.include", `It must be a list of ${includableMetadata.join(" and ")}.`);
  return Object.fromEntries(include.map((name) => [name, metadata?.[name] ?? null]));
}

function isIncludable(name: unknown): name is (typeof includableMetadata)[number] {
  return includableMetadata.some((known) => known === name);
}

function composeTurn(body: JsonObject): IsolatedTurnRequest {
  try {
    const { request: turn } = toResponsesTurn(parseResponsesRequest(body), "ignore");
    // References name items of stored responses, and a side task belongs to none.
    const at = [...turn.items].findIndex(({ type }) => type === "item_reference");
    if (at >= 0) throw badRequest(`input[${at}]`, "A side task cannot refer to stored items.");
    return turn;
  } catch (error) {
    throw error instanceof CodexNativeApiError ? badRequest(error.param, error.message, error) : error;
  }
}

function compile(schema: JsonObject, schemas: OutputSchemas): OutputCheck {
  try {
    return schemas.compile(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRequest("outputSchema", `It is not a valid JSON schema: ${reason}`, error);
  }
}

export function badRequest(
  param: string | null,
  message: string,
  cause?: unknown,
): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param, cause });
}
