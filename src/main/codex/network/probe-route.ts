/** Tries the way to the model backend as Codex takes it, without a request: a tunnel through the proxy and a TLS handshake. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createDeferred, waitWithin } from "../../../workers/contract/wait.js";
import type { ChosenProxy } from "../../config/outbound-route.js";
import type { CertificateFileFault, TrustedRoots } from "./trusted-roots.js";

/** Why Codex cannot reach the backend on this way. */
export type RouteFault =
  | { readonly kind: "certificate_file"; readonly file: CertificateFileFault }
  /** No connection; `reason` is the system's code. */
  | { readonly kind: "unreachable"; readonly of: "proxy" | "backend"; readonly reason: string }
  | { readonly kind: "silent"; readonly of: "proxy" | "backend" }
  /** The proxy closed the connection, or answered what is no HTTP. */
  | { readonly kind: "hung_up" }
  /** The proxy's answer to the request for a tunnel. */
  | { readonly kind: "refused"; readonly status: number }
  /** `authority`: who signed the certificate, as it says itself. */
  | { readonly kind: "certificate"; readonly reason: string; readonly authority: string | null };

export interface Route {
  /** The backend's base URL. */
  readonly target: string;
  readonly proxy: ChosenProxy | null;
  readonly roots: TrustedRoots;
}

export interface ProbeLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const maxHeadBytes = 16 * 1024;
const maxAuthorityChars = 100;

/** Null if the way is open. Never rejects. */
export async function probeRoute(
  route: Route,
  { timeoutMs, signal }: ProbeLimits,
): Promise<RouteFault | null> {
  const file = route.roots.fault;
  if (file !== null) return { kind: "certificate_file", file };
  const stage: Stage = { of: route.proxy === null ? "backend" : "proxy", socket: null };
  const probe = tryRoute(route, stage).catch(
    (error: unknown): RouteFault =>
      error instanceof Hangup
        ? { kind: "hung_up" }
        : { kind: "unreachable", of: stage.of, reason: codeOf(error) },
  );
  try {
    return await waitWithin(probe, { timeoutMs, ...(signal !== undefined && { signal }) }, () => ({
      kind: "silent" as const,
      of: stage.of,
    }));
  } finally {
    stage.socket?.destroy();
  }
}

/** How far the probe is. */
interface Stage {
  /** Who is to answer next. */
  of: "proxy" | "backend";
  /** The outermost one. Node 20 crashes when a socket is destroyed before the TLS socket around it. */
  socket: Socket | null;
}

class Hangup extends Error {}

async function tryRoute({ target, proxy, roots }: Route, stage: Stage): Promise<RouteFault | null> {
  const backend = new URL(target);
  const isSecure = backend.protocol === "https:";
  const first = proxy === null ? backend : new URL(proxy.url);
  const socket = connectTcp({ host: bareHost(first), port: portOf(first) });
  stage.socket = socket;
  await opened(socket, "connect");
  if (proxy === null) return isSecure ? secure(stage, socket, backend, roots) : null;
  // How to ask a SOCKS proxy is left to Codex.
  if (!/^https?:$/.test(first.protocol)) return null;
  const fault = first.protocol === "https:" ? await secure(stage, socket, first, roots) : null;
  if (fault !== null || !isSecure) return fault;
  const status = await askForTunnel(stage.socket, backend, first);
  if (status < 200 || status > 299) return { kind: "refused", status };
  stage.of = "backend";
  return secure(stage, stage.socket, backend, roots);
}

/** Makes the stage's socket a secure one, and judges the certificate of the other side. */
async function secure(
  stage: Stage,
  socket: Socket,
  server: URL,
  roots: TrustedRoots,
): Promise<RouteFault | null> {
  const { certificates } = roots;
  const host = bareHost(server);
  const wrapped = connectTls({
    socket,
    rejectUnauthorized: false,
    // Addresses have no server name.
    ...(isIP(host) === 0 && { servername: host }),
    ...(certificates !== null && { ca: [...certificates] }),
  });
  stage.socket = wrapped;
  await opened(wrapped, "secureConnect");
  return judgeCertificate(wrapped, roots);
}

function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  const opening = createDeferred<void>();
  socket.once(event, opening.resolve);
  // Stays for errors after the probe.
  socket.on("error", opening.reject);
  socket.once("close", () => opening.reject(new Hangup()));
  return opening.promise;
}

/** Resolves with the status of the proxy's answer. */
function askForTunnel(socket: Socket, backend: URL, { username, password }: URL): Promise<number> {
  const answer = createDeferred<number>();
  const authority = `${backend.hostname}:${portOf(backend)}`;
  const login = `${decode(username)}:${decode(password)}`;
  const credentials =
    username === "" ? "" : `Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}\r\n`;
  let head = "";
  const onData = (chunk: Buffer): void => {
    head += chunk.toString("latin1");
    const status = /^HTTP\/1\.\d (\d{3})/.exec(head)?.[1];
    const isWhole = head.includes("\r\n\r\n");
    if (!isWhole && head.length < maxHeadBytes) return;
    socket.off("data", onData);
    if (status === undefined || !isWhole) answer.reject(new Hangup());
    else answer.resolve(Number(status));
  };
  socket.on("data", onData);
  socket.once("error", answer.reject);
  socket.once("close", () => answer.reject(new Hangup()));
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  return answer.promise;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

function judgeCertificate(socket: TLSSocket, { certificates }: TrustedRoots): RouteFault | null {
  if (socket.authorized || certificates === null) return null;
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
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "unknown error";
}
