/** Where the router may send tasks and keys. */
import { isLoopbackHost, normalizeHost } from "../config/network-names.js";
import type { ExternalProvider } from "./types.js";

/** Where the service is, as its origin; null where that is not on this machine: token and prompts cross no network. */
export function parseLocalApiUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isBare = /^\/(v1\/?)?$/.test(url.pathname) && url.search === "" && url.hash === "";
  return url.protocol === "http:" && isBare && url.username === "" && namesThisMachine(url)
    ? url.origin
    : null;
}

/** A provider's URL without slashes at its end; null where it is none. */
export function parseProviderUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, search, hash, username, password } = new URL(text);
  const isWeb = protocol === "http:" || protocol === "https:";
  return isWeb && search + hash + username + password === "" ? text.replace(/\/+$/, "") : null;
}

/** Whether a key sent there can be read on the way. */
export function isSafeForKeys(providerUrl: string): boolean {
  const url = new URL(providerUrl);
  return url.protocol === "https:" || namesThisMachine(url);
}

/** What an Authorization header can carry unchanged. */
export function isTokenText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

interface ProviderFault {
  readonly field: keyof ExternalProvider;
  readonly problem: string;
}

/** What keeps a provider that the host named in code from being used; null if nothing does. */
export function findProviderFault({ baseUrl, apiKey, model }: ExternalProvider): ProviderFault | null {
  const url = parseProviderUrl(baseUrl);
  if (url === null) return { field: "baseUrl", problem: "It takes an http:// or https:// URL." };
  if (model === "") return { field: "model", problem: "It takes the provider's name of a model." };
  if (apiKey === null) return null;
  if (!isTokenText(apiKey)) return { field: "apiKey", problem: "It takes visible ASCII characters." };
  return isSafeForKeys(url) ? null : { field: "baseUrl", problem: keyInTheClear };
}

export const keyInTheClear = "a key would cross the network in the clear; use https://, or leave the key out";

function namesThisMachine({ hostname }: URL): boolean {
  const host = normalizeHost(hostname);
  return host !== null && isLoopbackHost(host);
}
