/** Proxies and certificates of the shell that installs a service: a service manager starts it without, and Codex then reaches nobody. */
import { isAbsolute, resolve } from "node:path";
import type { Environment, Machine } from "../../config/machine.js";
import { networkVariables } from "../../runtime/app-server/child-environment.js";

export type Variable = readonly [name: string, value: string];

export interface NetworkEnvironment {
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
