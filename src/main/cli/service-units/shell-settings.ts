/** Settings of the installing shell that a service manager lacks: command line, variables, proxies and certificates. */
import { isAbsolute, resolve } from "node:path";
import { type Environment, type Machine, resolvePath } from "../../config/machine.js";
import type { OptionSpec } from "../../config/option.js";
import { allOptions } from "../../config/options.js";
import { readEnvironment, readFlags } from "../../config/text-layers.js";
import { hasCredentials, networkVariables } from "../../outbound/outbound-route.js";

export function fixServeArguments(configArgv: readonly string[], env: Environment, machine: Machine) {
  const flags = readFlags(configArgv, allOptions, machine.workingDir).layer.values;
  const variables = readEnvironment(env, allOptions, machine.workingDir).layer.values;
  const given = allOptions.map((spec) => [spec, flags.get(spec.key) ?? variables.get(spec.key)] as const);
  return {
    arguments: given.flatMap(([spec, value]) =>
      value === undefined ? [] : renderFlag(spec, value, machine),
    ),
    // They must not appear in a unit.
    secretVariables: given.flatMap(([spec, value]) =>
      spec.secret && value !== undefined && spec.env !== null ? [spec.env] : [],
    ),
  };
}

function renderFlag(spec: OptionSpec, value: unknown, machine: Machine): readonly string[] {
  // An option without a flag is a secret, or has no effect on `serve`.
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

const { proxies, certificates } = networkVariables;

export function readNetworkEnvironment(env: Environment, machine: Machine) {
  const given = (name: string): readonly Variable[] => {
    const value = env[name];
    // Addresses and paths have no line ends, and a unit would read the text behind one as its own settings.
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
    // Names of those with a user name or password in their address.
    withCredentials: addresses.flatMap(([name, value]) => (hasCredentials(value) ? name : [])),
  };
}
