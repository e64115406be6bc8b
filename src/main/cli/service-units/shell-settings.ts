/** What the shell that installs a service has and a service manager lacks: this command line, its variables, its proxies and certificates. */
import { isAbsolute, resolve } from "node:path";
import { type Environment, type Machine, resolvePath } from "../../config/machine.js";
import type { OptionSpec } from "../../config/option.js";
import { allOptions } from "../../config/options.js";
import { readEnvironment, readFlags } from "../../config/text-layers.js";
import { networkVariables } from "../../runtime/app-server/child-environment.js";

interface ServeArguments {
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

export type Variable = readonly [name: string, value: string];

interface NetworkEnvironment {
  readonly variables: readonly Variable[];
  /** Names of those with a user's name or password in their address. */
  readonly withCredentials: readonly string[];
}

const { proxies, certificates } = networkVariables;

export function readNetworkEnvironment(env: Environment, machine: Machine): NetworkEnvironment {
  const given = (name: string): readonly Variable[] => {
    const value = env[name];
    // No address and no path has line ends in it, and a unit would read what follows as settings of its own.
    return value === undefined || value === "" || /\p{Cc}/u.test(value) ? [] : [[name, value]];
  };
  const addresses = proxies.flatMap(given);
  const paths = certificates.flatMap(given).map(([name, value]): Variable => {
    const parts = name === "SSL_CERT_DIR" ? value.split(":") : [value];
    // The service starts in another directory.
    const absolute = parts.map((path) => (isAbsolute(path) ? path : resolve(machine.workingDir, path)));
    return [name, absolute.join(":")];
  });
  return {
    variables: [...addresses, ...paths],
    withCredentials: addresses.flatMap(([name, value]) => (credentials.test(value) ? name : [])),
  };
}

/** For showing: without the user's name and password that an address may have. */
export function hideCredentials(value: string): string {
  return value.replace(credentials, "$1***@");
}

/** `http://ada:secret@proxy:3128`, also without the scheme. */
const credentials = /^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i;
