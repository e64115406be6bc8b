/** A task as it is when the host hands it over. */
import { findNotJson, isJsonObject, withoutNulls } from "../../workers/contract/json.js";
import { hasMethods } from "../option-shapes.js";
import { type DecisionRequest, decisionClass } from "./prepare-decision.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import type { SideTaskDecisionRequest, SideTaskRequest } from "./types.js";

const sharedFields = ["taskClass", "input", "model", "effort", "metadata", "provider", "fallback"] as const;

const taskFields = [
  ...sharedFields,
  "instructions",
  "files",
  "outputSchema",
] as const satisfies readonly (keyof SideTaskRequest)[];

const decisionFields = [
  ...sharedFields,
  "questions",
] as const satisfies readonly (keyof SideTaskDecisionRequest)[];

/**
 * A copy of everything that is sent or logged, in the form that JSON gives it. What the host does to its objects later reaches no route,
 * such as a message that it adds to the list that it gave as input; and every route gets the same task. Null counts as not given, save in `files` and `output`.
 *
 * @throws CodexNativeApiSideTaskError `bad_request`
 */
export function takeRequest(request: SideTaskRequest): SideTaskRequest {
  const taken = takeFields<SideTaskRequest>(request, taskFields);
  const output = readField(request, "output");
  return { ...taken, ...(output !== undefined && { output }) };
}

/** The same of a decision. @throws CodexNativeApiSideTaskError `bad_request` */
export function takeDecision(request: SideTaskDecisionRequest): DecisionRequest {
  const { taskClass = decisionClass, ...taken } = takeFields<SideTaskDecisionRequest>(
    request,
    decisionFields,
  );
  return { ...taken, taskClass };
}

type Taken = SideTaskRequest | SideTaskDecisionRequest;

function takeFields<Request extends Taken>(
  request: Request,
  names: readonly (keyof Request & string)[],
): Request {
  if (!isJsonObject(request)) throw badRequest(null, "The task must be an object.");
  const given: Record<string, unknown> = Object.fromEntries(
    names.map((name) => [name, readField(request, name)]),
  );
  // A list of files, or a schema, that is null is more likely a mistake than a way to say none.
  const fields: Record<string, unknown> = { ...withoutNulls(given), files: given.files };
  const { metadata } = fields;
  if (isJsonObject(metadata)) fields.metadata = withoutNulls(metadata);
  const param = findNotJson(fields);
  if (param !== null) throw badRequest(param, "The value cannot be written as JSON.");
  const signal = readField(request, "signal") ?? undefined;
  const timeoutMs = readField(request, "timeoutMs") ?? undefined;
  if (signal && !hasMethods(signal, "addEventListener", "removeEventListener"))
    throw badRequest("signal", "It must be an AbortSignal.");
  return {
    ...copyJson(fields),
    ...(signal && { signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** A host's object may have getters, and they may throw. */
function readField<Request, Name extends keyof Request & string>(
  request: Request,
  name: Name,
): Request[Name] {
  try {
    return request[name];
  } catch (error) {
    throw badRequest(name, "The task cannot be read.", error);
  }
}

function copyJson<Request extends Taken>(fields: object): Request {
  try {
    return JSON.parse(JSON.stringify(fields));
  } catch (error) {
    throw badRequest(null, "The task cannot be written as JSON.", error);
  }
}

function badRequest(param: string | null, message: string, cause?: unknown): CodexNativeApiSideTaskError {
  return new CodexNativeApiSideTaskError("bad_request", message, { param, cause });
}
