/** A configuration option by option: each value in force with its source, and the differences from another. */
import { isDeepStrictEqual } from "node:util";
import { isJsonObject } from "../../workers/contract/json.js";
import { valueAt } from "./config-file.js";
import { formatFault, refuseValue } from "./faults.js";
import type { OptionOrigin } from "./layers.js";
import type { Machine } from "./machine.js";
import type { OptionSpec } from "./option.js";
import { allOptions } from "./options.js";
import type { CodexNativeApiConfig } from "./types.js";

export interface SettingDescription {
  readonly key: string;
  /** The value in force as JSON; a secret only says that it is set. */
  readonly value: string;
  readonly origin: OptionOrigin;
}

/** The configuration in force, one row for each option, with secrets masked: safe to print and to log. */
export function describeConfig(
  config: CodexNativeApiConfig,
  origins: ReadonlyMap<string, OptionOrigin>,
): readonly SettingDescription[] {
  return allOptions.flatMap((spec) => {
    const origin = origins.get(spec.key);
    const value = valueAt(config, spec.key);
    if (origin === undefined || value === undefined) return [];
    const isMasked = spec.secret && spec.type.isSafeToShow !== true && value !== null;
    return [{ key: spec.key, value: isMasked ? "(set, not shown)" : spec.type.show(value), origin }];
  });
}

/** What a running service did with a new configuration. */
export interface ConfigChanges {
  /** Keys whose new values are in force. */
  readonly applied: readonly string[];
  /** Keys whose new values need a restart. */
  readonly needRestart: readonly string[];
}

/** `startedWith` is the configuration of the last start; `current` has the values that reloads have applied since. */
export function compareConfigs(
  startedWith: CodexNativeApiConfig,
  current: CodexNativeApiConfig,
  next: CodexNativeApiConfig,
): ConfigChanges {
  const changed = (before: CodexNativeApiConfig, isReloadable: boolean) =>
    allOptions
      .filter((spec) => spec.reloadable === isReloadable)
      .map(({ key }) => key)
      .filter((key) => !isDeepStrictEqual(valueAt(before, key), valueAt(next, key)));
  return { applied: changed(current, true), needRestart: changed(startedWith, false) };
}

/**
 * What is wrong with the shape of a configuration in force, in a sentence each: a host may have written it by hand, changed a part, or
 * given something else in its place. Empty for one of `createConfig`.
 */
export function findConfigFaults(config: unknown): readonly string[] {
  if (!isJsonObject(config)) return ["config is not allowed; it takes a configuration from createConfig"];
  if (typeof config.ok === "boolean")
    return ["config is the result of createConfig; give its config, once ok is true"];
  return allOptions.flatMap((spec) => {
    if (notInForce.includes(spec.key)) return [];
    const value = valueAt(config, spec.key);
    if (value === undefined)
      return [`config.${spec.key} is missing; make the configuration with createConfig`];
    return isInForce(spec, value) ? [] : [formatFault(refuseValue(spec, `config.${spec.key}`, value))];
  });
}

/** Options that only say where other values are. */
const notInForce: readonly string[] = ["config", "auth.tokenFile", "auth.tokensFile"];

function isInForce(spec: OptionSpec, value: unknown): boolean {
  if (value === null) return spec.whenUnset(emptyMachine, {}) === null;
  return (shapesInForce[spec.key] ?? ((given) => spec.type.schema.safeParse(given).success))(value);
}

const emptyMachine: Machine = {
  platform: "linux",
  homeDir: "/",
  workingDir: "/",
  cores: 1,
  readFile: () => ({ kind: "missing" }),
};

/** Of the options whose value in force differs in shape from the value given. */
const shapesInForce: Readonly<Record<string, (value: unknown) => boolean>> = {
  appServer: (value) =>
    isJsonObject(value) &&
    (value.kind === "shared" ||
      value.kind === "stdio" ||
      (value.kind === "unix" && typeof value.socketPath === "string") ||
      (value.kind === "tcp" && typeof value.url === "string")),
  "auth.tokens": (value) =>
    Array.isArray(value) &&
    value.every(
      (token) => isJsonObject(token) && typeof token.name === "string" && typeof token.sha256 === "string",
    ),
};
