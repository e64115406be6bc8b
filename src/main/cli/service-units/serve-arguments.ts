/** What this command line and this shell's environment say, as flags of `serve`: a service manager sees neither. */
import { isAbsolute, join, resolve } from "node:path";
import type { Environment } from "../../config/directories.js";
import { readEnvironment } from "../../config/environment.js";
import { readFlags } from "../../config/flags.js";
import type { Machine } from "../../config/machine.js";
import type { OptionSpec } from "../../config/option-spec.js";
import { allOptions } from "../../config/options.js";

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
  return [`${flag}=${spec.type.isPath ? makeAbsolute(String(value), spec, machine) : String(value)}`];
}

/** The service starts in another directory. */
function makeAbsolute(path: string, spec: OptionSpec, machine: Machine): string {
  const isCommandName = spec.key === "codex.bin" && !/[/\\~]/.test(path);
  if (isCommandName) return path;
  if (path === "~" || path.startsWith("~/")) return join(machine.homeDir, path.slice(1));
  return isAbsolute(path) ? path : resolve(machine.workingDir, path);
}
