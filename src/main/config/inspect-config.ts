/** A configuration option by option: what is in force and from where, and what differs from another. */
import { isDeepStrictEqual } from "node:util";
import { splitKey } from "./config-file.js";
import type { OptionOrigin } from "./layers.js";
import { allOptions } from "./options.js";
import type { CodexNativeApiConfig } from "./types.js";

export interface SettingDescription {
  readonly key: string;
  /** The value in force as JSON; a secret only says that it is set. */
  readonly value: string;
  readonly origin: OptionOrigin;
}

/** The configuration in force, one row an option, with secrets masked: safe to print and to log. */
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

/** The value of an option; undefined for one that is not part of the configuration itself. */
function valueAt(config: object, key: string): unknown {
  const [group, leaf] = splitKey(key);
  const holder: unknown = group === null ? config : readProperty(config, group);
  return typeof holder === "object" && holder !== null ? readProperty(holder, leaf) : undefined;
}

function readProperty(holder: object, name: string): unknown {
  return Object.entries(holder).find(([key]) => key === name)?.[1];
}

/** What became of a configuration that a running service was given. */
export interface ConfigChanges {
  /** Keys whose new values are in force. */
  readonly applied: readonly string[];
  /** Keys whose new values wait for the next start. */
  readonly needRestart: readonly string[];
}

/** `startedWith` is what the service runs on; `current` differs from it in what earlier reloads have applied. */
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
