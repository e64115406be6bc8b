/** Where the router may send tasks and keys. */
import { isLoopbackHost, normalizeHost } from "../config/network-names.js";
import { allExternalReasons, isExternalReason, providerDialects } from "./external-reasons.js";
import type { ExternalProvider } from "./types.js";

/** The service's URL as an origin; null where it is not on this machine, so that token and prompts cross no network. */
export function parseLocalApiUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isBare = /^\/(v1\/?)?$/.test(url.pathname) && url.search + url.hash + url.username === "";
  return url.protocol === "http:" && isBare && namesThisMachine(url) ? url.origin : null;
}

/** A provider's URL as it is used, without slashes at its end; null where it is not one. */
export function parseProviderUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, search, hash, username, password, origin, pathname } = new URL(text);
  const isWeb = protocol === "http:" || protocol === "https:";
  // Not the text: a path behind its spaces, or behind a lone `?`, would be another.
  return isWeb && search + hash + username + password === "" ? (origin + pathname).replace(/\/+$/, "") : null;
}

/** Whether nobody on the way can read a key that is sent there. */
export function isSafeForKeys(providerUrl: string): boolean {
  const url = new URL(providerUrl);
  return url.protocol === "https:" || namesThisMachine(url);
}

/** What an Authorization header can carry unchanged. */
export function isTokenText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Why the router cannot use a provider that the host named in code, which may have no types; null if it can. */
export function findProviderFault(
  provider: ExternalProvider,
): { readonly field: keyof ExternalProvider; readonly problem: string } | null {
  const { baseUrl, apiKey, model, schemaIn = "response_format", dialect = "chat", when = [] } = provider;
  const url = typeof baseUrl === "string" ? parseProviderUrl(baseUrl) : null;
  if (url === null) return { field: "baseUrl", problem: "It must be an http:// or https:// URL." };
  if (typeof model !== "string" || model === "")
    return { field: "model", problem: "It must be the provider's name of a model." };
  if (!schemaForms.includes(schemaIn))
    return { field: "schemaIn", problem: `It must be ${schemaForms.join(" or ")}.` };
  if (!providerDialects.includes(dialect))
    return { field: "dialect", problem: `It must be ${providerDialects.join(" or ")}.` };
  if (!Array.isArray(when) || !when.every(isExternalReason))
    return {
      field: "when",
      problem: `It must be a list of reasons, out of ${allExternalReasons.join(", ")}.`,
    };
  if (apiKey === null) return null;
  if (typeof apiKey !== "string" || !isTokenText(apiKey))
    return { field: "apiKey", problem: "It must be visible ASCII characters, or null." };
  return isSafeForKeys(url) ? null : { field: "baseUrl", problem: keyInTheClear };
}

const schemaForms: readonly string[] = ["response_format", "words"];

export const keyInTheClear = "the key would cross the network unencrypted; use https://, or give no key";

export function namesThisMachine({ hostname }: URL): boolean {
  const host = normalizeHost(hostname);
  return host !== null && isLoopbackHost(host);
}
