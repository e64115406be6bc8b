import { compileConfig } from "./compile-config.js";
import { type ConfigFileRead, readConfigFile } from "./config-file.js";
import { type Environment, locateDefaultConfigFile } from "./directories.js";
import { readEnvironment } from "./environment.js";
import type { ConfigFault } from "./faults.js";
import { readFlags } from "./flags.js";
import { type ConfigLayer, LayeredSettings, type OptionOrigin } from "./layers.js";
import type { Machine } from "./machine.js";
import { allOptions, options } from "./options.js";
import type { CodexNativeApiConfig } from "./types.js";

export interface ConfigSources {
  /** The command line behind the command's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly machine: Machine;
}

export type ConfigResult =
  | {
      readonly ok: true;
      readonly config: CodexNativeApiConfig;
      /** Where each value came from, by option key. */
      readonly origins: ReadonlyMap<string, OptionOrigin>;
    }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/**
 * Flags over environment over config file over defaults. Reads the config file and the token file and has no other effect;
 * answers with every fault there is, not with the first.
 */
export function loadConfig({ argv, env, machine }: ConfigSources): ConfigResult {
  const flags = readFlags(argv, allOptions, machine.workingDir);
  const environment = readEnvironment(env, allOptions, machine.workingDir);
  const file = readNamedFile([flags.layer, environment.layer], env, machine);
  const layers = [flags.layer, environment.layer, ...(file.layer === null ? [] : [file.layer])];
  const settings = new LayeredSettings(layers, machine.homeDir);
  const valueFaults = settings.check(allOptions);
  const { config, faults } = compileConfig(settings, machine, env);
  const all = [...flags.faults, ...environment.faults, ...file.faults, ...valueFaults, ...faults];
  if (all.length > 0) return { ok: false, faults: all };
  return { ok: true, config: freezeDeeply(config), origins: settings.origins };
}

function readNamedFile(layers: readonly ConfigLayer[], env: Environment, machine: Machine): ConfigFileRead {
  const settings = new LayeredSettings(layers, machine.homeDir);
  const named = settings.readPath(options.configFile);
  const path = named ?? locateDefaultConfigFile(machine, env);
  const source = {
    path,
    isRequired: named !== null,
    namedBy: named === null ? "config file" : settings.originOf(options.configFile).name,
  };
  return readConfigFile(source, machine.readFile(path), allOptions);
}

function freezeDeeply<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) freezeDeeply(part);
  }
  return Object.freeze(value);
}
