/** What a Host header names. */
import { isIP, isIPv4 } from "node:net";

const hostHeader = /^(\[[^\]]+\]|[^:]+)(?::\d{1,5})?$/;
const hostName = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/;

/** The name or address without its port, in the form `normalizeHost` gives; null if it is neither. */
export function hostOfHeader(header: string | undefined): string | null {
  const host = hostHeader.exec(header ?? "")?.[1];
  return host === undefined ? null : normalizeHost(host);
}

/** Lower case, IPv6 without brackets, a name without the dot of the root; null if it is no host at all. */
export function normalizeHost(text: string): string | null {
  const host = text.toLowerCase();
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare;
  const name = host.replace(/\.$/, "");
  // Digits and dots alone are an address written in a way that could hide which.
  return hostName.test(name) && !/^[\d.]+$/.test(name) ? name : null;
}

/** Whether only this machine can reach a listener bound to `host`, given in its normal form. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith("127.");
  return host === "localhost" || host === "::1" || /^::ffff:127\.\d+\.\d+\.\d+$/.test(host);
}
