import { isAbsolute } from "node:path";
import { isLoopbackHost, normalizeHost } from "./network-names.js";
import type { AppServerTransport } from "./types.js";

/** Reads `shared`, `stdio`, `unix:///run/codex.sock` or `ws://127.0.0.1:4500`; null for anything else. */
export function parseAppServerAddress(text: string): AppServerTransport | null {
  if (text === "shared" || text === "stdio") return { kind: text };
  if (text.startsWith("unix://")) {
    const socketPath = text.slice("unix://".length);
    return isAbsolute(socketPath) && !socketPath.includes("\0") ? { kind: "unix", socketPath } : null;
  }
  return parseWebSocketAddress(text);
}

/** Loopback only: the protocol carries the account and has no encryption of its own. */
function parseWebSocketAddress(text: string): AppServerTransport | null {
  if (!text.startsWith("ws://") || !URL.canParse(text)) return null;
  const url = new URL(text);
  const host = normalizeHost(url.hostname);
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (host === null || !isLoopbackHost(host) || url.port === "" || !isBare) return null;
  return { kind: "tcp", url: `ws://${url.host}` };
}
