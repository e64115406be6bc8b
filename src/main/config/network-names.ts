/** What counts as a host name, a loopback address and a web origin. */
import { isIP, isIPv4 } from "node:net";

const hostNamePattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;

/** An address or DNS name in the form used inside: lower case, IPv6 without brackets; null if it is neither. */
export function normalizeHost(text: string): string | null {
  const host = text.trim().toLowerCase();
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare;
  // Digits and dots alone that are no address are a mistyped address, not a name.
  return hostNamePattern.test(host) && !/^[\d.]+$/.test(host) ? host : null;
}

/** Whether only this machine can reach a listener bound to `host` (in its normal form). */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith("127.");
  return host === "localhost" || host === "::1" || host.startsWith("::ffff:127.");
}

/** `https://app.example` and nothing behind it. */
export function isWebOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === "http:" || url.protocol === "https:") && url.origin === text;
}
