/** What differs between two configurations, and whether a running service can take it. */
import { isDeepStrictEqual } from "node:util";
import { valueAt } from "./describe-config.js";
import { allOptions } from "./options.js";
import type { CodexNativeApiConfig } from "./types.js";

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
