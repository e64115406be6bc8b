/** Opens a connection to a server elsewhere, through the proxy that was chosen: a tunnel, and a TLS handshake. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { createDeferred, waitWithin } from "../../workers/contract/wait.js";
import type { ChosenProxy } from "./outbound-route.js";
import { askForTunnel, Hangup } from "./proxy-tunnel.js";
import type { RouteFault } from "./route-fault.js";

export interface Route {
  /** Any URL of the server. */
  readonly target: string;
  readonly proxy: ChosenProxy | null;
  readonly trust: Trust;
}

/** Whose certificates are good. */
export interface Trust {
  /** Null: what Node trusts by itself. */
  readonly context: SecureContext | null;
  /** False: no certificate is refused, for whoever sends nothing. */
  readonly isJudge: boolean;
}

export interface RouteLimits {
  /** For the whole way. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A socket on which a request can be written, or why there is none. To an `http://` server, the socket is one to the proxy. */
export type OpenedRoute =
  | { readonly fault: null; readonly socket: Socket }
  | { readonly fault: RouteFault; readonly socket: null };

const maxAuthorityChars = 100;

/** Never rejects. Leaves no socket behind where it fails. */
export async function openRoute(route: Route, { timeoutMs, signal }: RouteLimits): Promise<OpenedRoute> {
  const stage: Stage = { of: route.proxy === null ? "server" : "proxy", socket: null };
  const attempt = takeRoute(route, stage).catch((error: unknown): RouteFault => {
    // Behind a tunnel that is open, the proxy has done its part.
    const isProxys = stage.of === "proxy" || route.proxy === null;
    return error instanceof Hangup && isProxys
      ? { kind: "hung_up" }
      : { kind: "unreachable", of: stage.of, reason: codeOf(error) };
  });
  const fault = await waitWithin(attempt, { timeoutMs, ...(signal !== undefined && { signal }) }, () => ({
    kind: "silent" as const,
    of: stage.of,
  }));
  const { socket } = stage;
  if (fault === null && socket !== null && !socket.destroyed) return { fault, socket };
  socket?.destroy();
  return { fault: fault ?? { kind: "hung_up" }, socket: null };
}

/** How far the way is open. */
interface Stage {
  /** Who is to answer next. */
  of: "proxy" | "server";
  /** The outermost one. Node 20 crashes when a socket is destroyed before the TLS socket around it. */
  socket: Socket | null;
}

async function takeRoute({ target, proxy, trust }: Route, stage: Stage): Promise<RouteFault | null> {
  const server = new URL(target);
  const isSecure = server.protocol === "https:";
  const first = proxy === null ? server : new URL(proxy.url);
  const socket = connectTcp({ host: bareHost(first), port: portOf(first) });
  stage.socket = socket;
  await opened(socket, "connect");
  if (proxy === null) return isSecure ? secure(stage, socket, server, trust) : null;
  // Only whether it can be reached: how to ask a SOCKS proxy is left to Codex.
  if (!/^https?:$/.test(first.protocol)) return null;
  const fault = first.protocol === "https:" ? await secure(stage, socket, first, trust) : null;
  if (fault !== null || !isSecure) return fault;
  const status = await askForTunnel(stage.socket, `${server.hostname}:${portOf(server)}`, first);
  if (status < 200 || status > 299) return { kind: "refused", status };
  stage.of = "server";
  return secure(stage, stage.socket, server, trust);
}

/** Makes the stage's socket a secure one, and judges the certificate of the other side. */
async function secure(stage: Stage, socket: Socket, server: URL, trust: Trust): Promise<RouteFault | null> {
  const { context, isJudge } = trust;
  const host = bareHost(server);
  const wrapped = connectTls({
    socket,
    // The fault names who signed the certificate, which is read from a connection that stands.
    rejectUnauthorized: false,
    host,
    // Addresses have no server name.
    ...(isIP(host) === 0 && { servername: host }),
    ...(context !== null && { secureContext: context }),
  });
  stage.socket = wrapped;
  await opened(wrapped, "secureConnect");
  return wrapped.authorized || !isJudge ? null : describeCertificate(wrapped);
}

function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  const opening = createDeferred<void>();
  socket.once(event, opening.resolve);
  // Stays for errors after the way is open, whoever has the socket then.
  socket.on("error", opening.reject);
  socket.once("close", () => opening.reject(new Hangup()));
  return opening.promise;
}

function describeCertificate(socket: TLSSocket): RouteFault {
  const { issuer } = socket.getPeerCertificate();
  const names = [issuer?.CN, issuer?.O].flat();
  const authority = names.find((name) => typeof name === "string" && name !== "") ?? null;
  return {
    kind: "certificate",
    reason: String(socket.authorizationError ?? "unknown"),
    authority: authority === null ? null : authority.replace(/\p{C}/gu, " ").slice(0, maxAuthorityChars),
  };
}

function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  if (protocol === "https:") return 443;
  return protocol.startsWith("socks") ? 1080 : 80;
}

function codeOf(error: unknown): string {
  if (error instanceof Hangup) return "connection_closed";
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "unknown error";
}
