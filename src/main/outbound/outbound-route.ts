/** Which proxy a request takes: reads the proxies' variables as Codex's HTTP client does. */
import { BlockList, isIP } from "node:net";

/** A proxy and the variable that names it. */
export interface ChosenProxy {
  readonly variable: string;
  /** With its scheme, and with the user and password that it may hold. */
  readonly url: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that decide how this machine reaches servers elsewhere. */
export const networkVariables = {
  proxies: [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
  ],
  /** Paths of files and directories. */
  certificates: ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE"],
} as const;

/** The variable that decides about requests to `target`, and its value; null if they go directly. */
export function nameProxy(target: string, env: Variables): NamedProxy | null {
  if (!URL.canParse(target)) return null;
  const { protocol, hostname } = new URL(target);
  const own = protocol === "http:" || protocol === "ws:" ? "HTTP_PROXY" : "HTTPS_PROXY";
  const named = firstGiven(env, own) ?? firstGiven(env, "ALL_PROXY");
  return isExempt(hostname, firstGiven(env, "NO_PROXY")?.value ?? "") ? null : named;
}

/** The proxy for requests to `target`; null if they go directly. A value that is no address counts as none, as with Codex. */
export function chooseProxy(target: string, env: Variables): ChosenProxy | null {
  const chosen = nameProxy(target, env);
  if (chosen === null) return null;
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

/** A variable that is to name a proxy. */
interface NamedProxy {
  readonly variable: string;
  readonly value: string;
}

/** The name in upper case comes first, even if its value is empty. */
function firstGiven(env: Variables, name: string): NamedProxy | null {
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
