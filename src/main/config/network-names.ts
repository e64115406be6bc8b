/** Checks of host names, loopback addresses and web origins. */
import { isIP, isIPv4 } from "node:net";

const hostNamePattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;

/** An address or DNS name in its normal form: lower case, IPv6 without brackets; null if it is neither. */
export function normalizeHost(text: string): string | null {
  const host = text.trim().toLowerCase();
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare;
  // Digits and dots that form no address are a mistyped address, not a name.
  return hostNamePattern.test(host) && !/^[\d.]+$/.test(host) ? host : null;
}

/** Whether only this machine can reach a listener bound to `host` (in its normal form). */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith("127.");
  return host === "localhost" || host === "::1" || host.startsWith("::ffff:127.");
}

const originPattern = /^([a-z][a-z0-9+.-]*):\/\/(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** Schemes whose pages have no origin of their own, or that load no pages. */
const withoutOrigin = /^(about|blob|data|file|javascript|wss?)$/;

/**
 * The `Origin` of a page, an extension or a desktop program: scheme and host, in lower case, such as `https://app.example` or
 * `app://obsidian.md`. Null for anything else, such as `null`, which every sandboxed page sends.
 */
export function normalizeOrigin(text: string): string | null {
  const origin = text.toLowerCase();
  const scheme = originPattern.exec(origin)?.[1];
  if (scheme === undefined || withoutOrigin.test(scheme)) return null;
  // A browser leaves out the scheme's default port, and writes each address in one way.
  if (scheme === "http" || scheme === "https") {
    return URL.canParse(origin) && new URL(origin).origin === origin ? origin : null;
  }
  return origin;
}
