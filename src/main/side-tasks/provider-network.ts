/** How external providers are reached on this network: by the variables of proxies that the host handed over. */
import { type ChosenProxy, chooseProxy, nameProxy, networkVariables } from "../outbound/outbound-route.js";
import { namesThisMachine } from "./addresses.js";
import type { SideTaskNetwork } from "./types.js";

/** The variables that matter; null where none is set. */
export function pickNetwork(env: Readonly<Record<string, string | undefined>>): SideTaskNetwork | null {
  const names: readonly string[] = [...networkVariables.proxies, ...networkVariables.certificates];
  const given = Object.entries(env).filter(([name]) => names.includes(name));
  return given.some(([, value]) => value) ? Object.fromEntries(given) : null;
}

export type ProviderProxy =
  | { readonly fault: null; readonly proxy: ChosenProxy | null }
  | { readonly fault: ProxyFault; readonly proxy: null };

/** A variable whose proxy the router cannot use. */
export interface ProxyFault {
  readonly variable: string;
  /** Behind the variable's name. */
  readonly problem: string;
}

/** The proxy on the way to a provider. One on this machine has none: a proxy would look for it on its own. */
export function chooseProviderProxy(baseUrl: string | null, network: SideTaskNetwork | null): ProviderProxy {
  const direct = { fault: null, proxy: null };
  if (baseUrl === null || network === null || namesThisMachine(new URL(baseUrl))) return direct;
  const named = nameProxy(baseUrl, network);
  if (named === null) return direct;
  const proxy = chooseProxy(baseUrl, network);
  if (proxy !== null && /^https?:\/\/[^/]/i.test(proxy.url)) return { fault: null, proxy };
  const problem = `does not name an HTTP proxy, such as http://proxy.example:3128; correct it, or name ${new URL(baseUrl).hostname} in NO_PROXY`;
  return { fault: { variable: named.variable, problem }, proxy: null };
}
