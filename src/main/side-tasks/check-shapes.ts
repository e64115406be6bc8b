/** The shapes of a router's options and of a task: a host in JavaScript, or for another version, has no compiler to check them. */
import { isJsonObject } from "../../workers/contract/json.js";
import { suggestName } from "../config/suggest-name.js";
import { includableMetadata } from "../dialects/answers/native-api.js";
import { isMetadataLevel, metadataLevels } from "../observability/task-metadata.js";
import {
  hasMethods,
  inspectOptions,
  isAny,
  isEnvironment,
  isLogger,
  isText,
  type OptionShape,
  optional,
  required,
} from "../option-shapes.js";
import { defaultSideTaskLimits, type SideTaskLimits } from "./limits.js";
import type { CodexNativeApiSideTaskRouterOptions } from "./router-options.js";
import { CodexNativeApiSideTaskError } from "./side-task-error.js";
import type { LocalApiSettings, SideTaskDecisionRequest, SideTaskRequest } from "./types.js";

type Shapes<T> = Readonly<Record<keyof T & string, OptionShape>>;

const isFunction = (value: unknown) => typeof value === "function";
const isString = (value: unknown) => typeof value === "string";
const isPositive = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value > 0;
const isNullOr = (accepts: OptionShape["accepts"]) => (value: unknown) => value === null || accepts(value);
const isListOf = (accepts: OptionShape["accepts"]) => (value: unknown) =>
  Array.isArray(value) && value.every(accepts);

const routerShapes: Shapes<CodexNativeApiSideTaskRouterOptions> = {
  settings: required(
    "settings of readSideTaskSettings: localApi and external, each an object or null",
    (value) => isJsonObject(value) && [value.localApi, value.external].every(isNullOr(isJsonObject)),
  ),
  runtime: optional("a CodexNativeRuntime", (value) => hasMethods(value, "runIsolatedTurn")),
  service: optional("a CodexNativeApiService", (value) => isJsonObject(value) && "runtime" in value),
  // What is in these two is checked where they are read.
  taskClasses: optional("an object of classes by name", isJsonObject),
  roots: optional("a list of folders", Array.isArray),
  limits: optional("an object of numbers", isJsonObject),
  logger: optional("a pino logger", isLogger),
  metadataLevel: optional(`one of ${metadataLevels.join(", ")}`, isMetadataLevel),
  onEvent: optional("a function", isFunction),
  registry: optional("a Registry of prom-client", (value) =>
    hasMethods(value, "registerMetric", "getSingleMetric"),
  ),
  now: optional("a function that gives milliseconds", isFunction),
};

const localApiShapes: Shapes<LocalApiSettings> = {
  baseUrl: required("an http:// URL of this machine", isString),
  authToken: required("a token, or null", isNullOr(isText)),
  taskClasses: required("a list of class names", isListOf(isString)),
  timeoutMs: required("milliseconds, or null", isNullOr(isPositive)),
};

const limitShapes: Shapes<SideTaskLimits> = {
  maxConcurrentTasks: optional("a positive number", isPositive),
  routeShare: optional("a number above 0, and at most 1", (value) => isPositive(value) && Number(value) <= 1),
  circuitFailures: optional("a positive number", isPositive),
  circuitOpenMs: optional("milliseconds", isPositive),
  circuitMaxOpenMs: optional("milliseconds", isPositive),
  blamedTimeoutMs: optional("milliseconds", (value) => value === 0 || isPositive(value)),
};

const sharedShapes = {
  input: required("text, or a list of items", (value) => isString(value) || Array.isArray(value)),
  model: optional("a model id", isText),
  effort: optional("a reasoning effort", isText),
  timeoutMs: optional("milliseconds", isPositive),
  metadata: optional("an object with eventMetadata, threadMetadata, include", isJsonObject),
  signal: optional("an AbortSignal", (value) => hasMethods(value, "addEventListener", "removeEventListener")),
  provider: optional("a provider kind", isText),
  fallback: optional("a provider, or false", (value) => value === false || isJsonObject(value)),
};

const taskShapes: Shapes<SideTaskRequest> = {
  taskClass: required("the name of a class", isAny),
  ...sharedShapes,
  instructions: optional("text", isString),
  files: optional("a list of files", isAny),
  outputSchema: optional("a JSON schema", isJsonObject),
  output: optional("a schema", isAny),
};

const decisionShapes: Shapes<SideTaskDecisionRequest> = {
  taskClass: optional("the name of a class", isAny),
  ...sharedShapes,
  // Each is checked as the service checks it.
  questions: required("a list of questions", Array.isArray),
};

const metadataShapes: Shapes<NonNullable<SideTaskRequest["metadata"]>> = {
  eventMetadata: optional("an object", isJsonObject),
  threadMetadata: optional("an object", isJsonObject),
  include: optional(
    `a list of ${includableMetadata.join(", ")}`,
    isListOf((name) => includableMetadata.some((known) => known === name)),
  ),
};

/** @throws CodexNativeApiSideTaskError `bad_request`, whose message names every option of the wrong shape, and `param` the first. */
export function checkRouterOptions(options: CodexNativeApiSideTaskRouterOptions): void {
  refuse("", options, routerShapes);
  const { settings, limits = defaultSideTaskLimits } = options;
  if (settings.localApi !== null) refuse("settings.localApi.", settings.localApi, localApiShapes);
  if (settings.network !== undefined && !isEnvironment(settings.network)) {
    const message =
      "settings.network is not allowed; it takes variables of proxies and certificates by name.";
    throw new CodexNativeApiSideTaskError("bad_request", message, { param: "settings.network" });
  }
  refuse("limits.", limits, limitShapes);
}

/** @throws CodexNativeApiSideTaskError `bad_request`, as for the router's options. */
export function checkTask(request: SideTaskRequest): void {
  refuse("", request, taskShapes);
  checkMetadata(request);
}

/** @throws CodexNativeApiSideTaskError `bad_request`, as for the router's options. */
export function checkDecision(request: SideTaskDecisionRequest): void {
  refuse("", request, decisionShapes);
  checkMetadata(request);
}

function checkMetadata({ metadata }: Pick<SideTaskRequest, "metadata">): void {
  if (metadata !== undefined) refuse("metadata.", metadata, metadataShapes);
}

function refuse(path: string, options: unknown, shapes: Readonly<Record<string, OptionShape>>): void {
  const hintOf = (name: string) => {
    const suggestion = suggestName(name, Object.keys(shapes));
    return suggestion === null ? "" : `; did you mean ${suggestion}?`;
  };
  const faults = inspectOptions(options, shapes, hintOf);
  const [first] = faults;
  if (first === undefined) return;
  const message = `${faults.map(({ problem }) => problem).join("; ")}.`;
  const param = first.name === null ? null : `${path}${first.name}`;
  throw new CodexNativeApiSideTaskError("bad_request", message, { param });
}
