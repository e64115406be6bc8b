/**
 * The options table: every setting of the service, once. The configuration's types, parsing, flags, variables, help, the example
 * files, the JSON schema and the table in docs/configuration.md are all made from it. An option's key is where it stands here.
 */
import { admissionOptions, codexOptions, turnOptions, workerOptions } from "./codex-options.js";
import type { OptionSpec } from "./option.js";
import {
  authOptions,
  continuationOptions,
  httpOptions,
  listenOptions,
  processOptions,
} from "./service-options.js";

export const options = {
  ...nameOptions("", processOptions),
  listen: nameOptions("listen.", listenOptions),
  auth: nameOptions("auth.", authOptions),
  ...nameOptions("", workerOptions),
  admission: nameOptions("admission.", admissionOptions),
  turns: nameOptions("turns.", turnOptions),
  http: nameOptions("http.", httpOptions),
  codex: nameOptions("codex.", codexOptions),
  continuation: nameOptions("continuation.", continuationOptions),
};

/** One level of groups, and in each an option's name in the config file. */
function nameOptions<G extends Readonly<Record<string, { key: string }>>>(prefix: string, group: G): G {
  for (const [name, option] of Object.entries(group)) option.key = `${prefix}${name}`;
  return group;
}

/** What stands in each section of the help and the documents: groups, less the options that are named by themselves. */
const sections: readonly (readonly [title: string, ...places: string[]])[] = [
  ["Service", "config", "enabled", "shutdownGraceMs", "logLevel", "logFormat"],
  ["Listening and access", "listen", "auth", "http.allowedHosts", "http.allowedOrigins"],
  ["Requests", "turns.defaultModel", "turns.profile", "http"],
  ["Codex", "codex", "appServer"],
  ["Load", "workers", "admission", "turns"],
  ["Stored responses", "continuation"],
];

/** In the order they are shown. */
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
