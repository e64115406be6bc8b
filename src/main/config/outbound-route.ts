/** Which proxy a request takes: reads the proxies' variables as Codex's HTTP client does. */
import { BlockList, isIP } from "node:net";

/** A proxy and the variable that names it. */
export interface ChosenProxy {
  readonly variable: string;
  /** With its scheme, and with the user and password that it may hold. */
  readonly url: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The proxy for requests to `target`; null if they go directly. A value that is no address counts as none, as with Codex. */
export function chooseProxy(target: string, env: Variables): ChosenProxy | null {
  if (!URL.canParse(target)) return null;
  const { protocol, hostname } = new URL(target);
  const own = protocol === "http:" || protocol === "ws:" ? "HTTP_PROXY" : "HTTPS_PROXY";
  const chosen = firstGiven(env, own) ?? firstGiven(env, "ALL_PROXY");
  if (chosen === null || isExempt(hostname, firstGiven(env, "NO_PROXY")?.value ?? "")) return null;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(chosen.value) ? chosen.value : `http://${chosen.value}`;
  return URL.canParse(url) ? { variable: chosen.variable, url } : null;
}

/** Hides the user name and password of an address, to show it. */
export function hideCredentials(value: string): string {
  return value.replace(credentials, "$1***@");
}

export function hasCredentials(value: string): boolean {
  return credentials.test(value);
}

/** `http://ada:secret@proxy:3128`, also without the scheme. */
const credentials = /^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i;

/** The name in upper case comes first, even if its value is empty. */
function firstGiven(
  env: Variables,
  name: string,
): { readonly variable: string; readonly value: string } | null {
  const variable = [name, name.toLowerCase()].find((spelling) => env[spelling] !== undefined);
  const value = variable === undefined ? "" : (env[variable]?.trim() ?? "");
  return variable === undefined || value === "" ? null : { variable, value };
}

/** Names match with all below them, addresses also by networks such as `10.0.0.0/8`; `*` matches everything. */
function isExempt(hostname: string, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const family = isIP(host);
  return list.split(",").some((part) => {
    const entry = part.trim().toLowerCase();
    if (entry === "" || entry === "*") return entry === "*";
    return family === 0 ? isBelow(host, entry.replace(/^\./, "")) : isInNetwork(host, family, entry);
  });
}

function isBelow(host: string, domain: string): boolean {
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`));
}

function isInNetwork(host: string, family: number, entry: string): boolean {
  const [network = "", prefix] = entry.split("/");
  const widest = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? widest : Number(prefix);
  if (isIP(network) !== family || !Number.isInteger(bits) || bits < 0 || bits > widest) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}
