import { workerOptions } from "./codex-options.js";
import { makeLayer, readConfigFile, refuseKeys } from "./config-file.js";
import type { ConfigFault } from "./faults.js";
import { type ConfigLayer, LayeredSettings, type LayerRead, type OptionOrigin } from "./layers.js";
import { type Environment, locateDefaultConfigFile, type Machine, readMachine } from "./machine.js";
import { allOptions, options } from "./options.js";
import { processOptions } from "./service-options.js";
import { readEnvironment, readFlags } from "./text-layers.js";
import { readAuth } from "./tokens.js";
import type { CodexNativeApiConfig, CodexNativeApiSettings, HttpConfig } from "./types.js";

export interface ConfigSources {
  /** The command line behind the command's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly machine: Machine;
}

/** What `createConfig` reads beside the settings. */
export interface CreateConfigOptions {
  /**
   * Variables to read as `serve` does, below the settings and above the config file, which is then read as well. Default:
   * none, and no config file. Pass `process.env` to let a host's users configure the service as they would `serve`.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A configuration, or every fault of the sources. */
export type ConfigResult =
  | {
      readonly ok: true;
      /** Complete, checked and frozen. */
      readonly config: CodexNativeApiConfig;
      /** Where each value came from, by option key. */
      readonly origins: ReadonlyMap<string, OptionOrigin>;
      /** Variables that were given and have no effect. */
      readonly warnings: readonly ConfigFault[];
    }
  /** Every fault, not only the first. */
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/**
 * Loads flags over environment over config file over defaults. Reads the config file and the token files, and has no other
 * effect. Reports every fault, not only the first.
 */
export function loadConfig({ argv, env, machine }: ConfigSources): ConfigResult {
  const flags = readFlags(argv, allOptions, machine.workingDir);
  const environment = readEnvironment(env, allOptions, machine.workingDir);
  const file = readNamedFile([flags.layer, environment.layer], env, machine);
  return resolveConfig([flags, environment, file], env, machine);
}

/**
 * The configuration of a service that a host program embeds: its settings over the defaults, and over `options.env` if it
 * gives any. Beside these it reads only the platform's home directory, working directory and number of cores, and the file
 * `auth.tokenFile`. Never throws: the result lists every fault, each with the values allowed.
 */
export function createConfig(
  settings: CodexNativeApiSettings = {},
  options: CreateConfigOptions = {},
): ConfigResult {
  return createConfigOn(readMachine(), settings, options);
}

export function createConfigOn(
  machine: Machine,
  settings: CodexNativeApiSettings,
  { env }: CreateConfigOptions,
): ConfigResult {
  const where = "the host's settings";
  const host: LayerRead = {
    layer: { ...makeLayer(where, { ...settings }, allOptions), kind: "host", baseDir: machine.workingDir },
    faults: refuseKeys(where, settings, allOptions),
  };
  if (env === undefined) return resolveConfig([host], {}, machine);
  const environment = readEnvironment(env, allOptions, machine.workingDir);
  const file = readNamedFile([environment.layer], env, machine);
  return resolveConfig([host, environment, file], env, machine);
}

/** From the layers, highest first. */
function resolveConfig(reads: readonly LayerRead[], env: Environment, machine: Machine): ConfigResult {
  const settings = new LayeredSettings(
    reads.map(({ layer }) => layer),
    machine,
    env,
  );
  settings.check(allOptions);
  const { config: _where, ...general } = processOptions;
  const listen = settings.readGroup(options.listen);
  const config: CodexNativeApiConfig = {
    ...settings.readGroup({ ...general, ...workerOptions }),
    listen,
    auth: readAuth(settings, listen.host),
    admission: settings.readGroup(options.admission),
    turns: settings.readGroup(options.turns),
    models: settings.readGroup(options.models),
    decisions: settings.readGroup(options.decisions),
    http: settings.readGroup(options.http),
    codex: settings.readGroup(options.codex),
    continuation: settings.readGroup(options.continuation),
    requests: settings.readGroup(options.requests),
  };
  refuseShortRequests(settings, config.http);
  const faults = [...reads.flatMap((read) => read.faults), ...settings.faults];
  if (faults.length > 0) return { ok: false, faults };
  const warnings = reads.flatMap((read) => read.warnings ?? []);
  return { ok: true, config: freezeDeeply(config), origins: settings.origins, warnings };
}

function refuseShortRequests(
  settings: LayeredSettings,
  { headersTimeoutMs, requestTimeoutMs }: HttpConfig,
): void {
  if (requestTimeoutMs >= headersTimeoutMs) return;
  if (settings.isFaulty(options.http.headersTimeoutMs, options.http.requestTimeoutMs)) return;
  const problem = `${requestTimeoutMs} is less than http.headersTimeoutMs, which is ${headersTimeoutMs}: headers are part of a request`;
  const source = settings.originOf(options.http.requestTimeoutMs);
  // A default cannot be at fault, so the other of the two is.
  const { name } = source.layer === "default" ? settings.originOf(options.http.headersTimeoutMs) : source;
  settings.refuse(name, problem);
}

function readNamedFile(layers: readonly ConfigLayer[], env: Environment, machine: Machine): LayerRead {
  const settings = new LayeredSettings(layers, machine, env);
  const named = settings.read(options.config);
  const path = named ?? locateDefaultConfigFile(machine, env);
  const namedBy = named === null ? null : settings.originOf(options.config).name;
  return readConfigFile(path, namedBy, machine.readFile(path), allOptions);
}

function freezeDeeply<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) freezeDeeply(part);
  }
  return Object.freeze(value);
}
