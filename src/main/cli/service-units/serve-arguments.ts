/** What this command line and this shell's environment say, as flags of `serve`: a service manager sees neither. */
import { type Environment, type Machine, resolvePath } from "../../config/machine.js";
import type { OptionSpec } from "../../config/option.js";
import { allOptions } from "../../config/options.js";
import { readEnvironment, readFlags } from "../../config/text-layers.js";

export interface ServeArguments {
  readonly arguments: readonly string[];
  /** Variables that have no place in a unit: they hold a secret. */
  readonly secretVariables: readonly string[];
}

export function fixServeArguments(
  configArgv: readonly string[],
  env: Environment,
  machine: Machine,
): ServeArguments {
  const flags = readFlags(configArgv, allOptions, machine.workingDir).layer.values;
  const variables = readEnvironment(env, allOptions, machine.workingDir).layer.values;
  const given = allOptions.map((spec) => [spec, flags.get(spec.key) ?? variables.get(spec.key)] as const);
  return {
    arguments: given.flatMap(([spec, value]) =>
      value === undefined ? [] : renderFlag(spec, value, machine),
    ),
    secretVariables: given.flatMap(([spec, value]) =>
      spec.secret && value !== undefined && spec.env !== null ? [spec.env] : [],
    ),
  };
}

function renderFlag(spec: OptionSpec, value: unknown, machine: Machine): readonly string[] {
  // Without a flag it is a secret, or of no meaning to `serve`.
  if (spec.flag === null) return [];
  const flag = `--${spec.flag}`;
  if (Array.isArray(value)) return [`${flag}=${value.join(",")}`];
  if (typeof value === "object" && value !== null)
    return Object.entries(value).map(([key, text]) => `${flag}=${key}=${text}`);
  // The service starts in another directory.
  if (!spec.type.isPath) return [`${flag}=${value}`];
  return [`${flag}=${spec.type.toValue(value, (path) => resolvePath(path, machine.workingDir, machine))}`];
}
