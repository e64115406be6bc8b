/**
 * The options table: every setting of the service, once. The configuration's types, parsing, flags, variables, help, the example
 * files, the JSON schema and the table in docs/configuration.md are all made from it. An option's key is its place here:
 * at most one level of groups, then the name.
 */
import {
  admissionOptions,
  codexOptions,
  decisionOptions,
  modelOptions,
  turnOptions,
  workerOptions,
} from "./codex-options.js";
import { nameOptions, type OptionSpec } from "./option.js";
import {
  authOptions,
  continuationOptions,
  httpOptions,
  listenOptions,
  processOptions,
  requestOptions,
} from "./service-options.js";

export const options = {
  ...nameOptions("", processOptions),
  listen: nameOptions("listen.", listenOptions),
  auth: nameOptions("auth.", authOptions),
  ...nameOptions("", workerOptions),
  admission: nameOptions("admission.", admissionOptions),
  turns: nameOptions("turns.", turnOptions),
  models: nameOptions("models.", modelOptions),
  decisions: nameOptions("decisions.", decisionOptions),
  http: nameOptions("http.", httpOptions),
  codex: nameOptions("codex.", codexOptions),
  continuation: nameOptions("continuation.", continuationOptions),
  requests: nameOptions("requests.", requestOptions),
};

/** The sections of the help and the documents. A group comes without those of its options that another section names. */
const sections: readonly (readonly [title: string, ...places: string[]])[] = [
  ["Service", "config", "enabled", "shutdownGraceMs", "logLevel", "logFormat"],
  ["Listening and access", "listen", "auth", "http.allowedHosts", "http.allowedOrigins"],
  ["Requests", "turns.defaultModel", "models", "decisions", "turns.profile", "turns.readableRoots", "http"],
  ["Codex", "codex", "appServer"],
  ["Load", "workers", "admission", "turns"],
  ["Stored responses", "continuation"],
  ["Request log", "requests"],
];

/** In the order of the help. */
export const optionGroups = sections.map(([title, ...places]) => ({
  title,
  options: places.flatMap(optionsAt),
}));

export const allOptions: readonly OptionSpec[] = optionGroups.flatMap((group) => group.options);

function optionsAt(place: string): readonly OptionSpec[] {
  const isNamed = (key: string) => sections.some(([, ...places]) => places.includes(key));
  const rows: readonly OptionSpec[] = Object.values(options).flatMap((row) =>
    "whenUnset" in row ? [row] : Object.values(row),
  );
  return rows.filter(({ key }) => key === place || (key.startsWith(`${place}.`) && !isNamed(key)));
}
