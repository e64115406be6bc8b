import { splitKey } from "./file-schema.js";
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
export function valueAt(config: object, key: string): unknown {
  const [group, leaf] = splitKey(key);
  const holder: unknown = group === null ? config : readProperty(config, group);
  return typeof holder === "object" && holder !== null ? readProperty(holder, leaf) : undefined;
}

function readProperty(holder: object, name: string): unknown {
  return Object.entries(holder).find(([key]) => key === name)?.[1];
}
