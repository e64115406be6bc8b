/** Connections to external providers, through the proxies of the host's network. */
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { buildConnector } from "undici";
import { openRoute } from "../outbound/open-route.js";
import type { ChosenProxy } from "../outbound/outbound-route.js";
import { describeRouteFault, type RouteFault } from "../outbound/route-fault.js";
import { type CertificateFileFault, readNodeRoots } from "../outbound/trusted-roots.js";
import { type HttpAnswer, HttpClient, type HttpPost } from "./http-client.js";
import { httpLimits } from "./limits.js";
import { chooseProviderProxy } from "./provider-network.js";
import { RouteFailure } from "./route-failure.js";
import type { SideTaskNetwork } from "./types.js";

/** What the host's network trusts. */
interface ProviderTrust {
  /** Null: what Node trusts by itself. */
  readonly context: SecureContext | null;
  /** Of the first file that could not be used. It matters once a certificate is refused. */
  readonly fault: CertificateFileFault | null;
}

/** One HTTP client for each proxy that the host's variables name, and one for providers without. */
export class ProviderClients {
  readonly #network: SideTaskNetwork;
  readonly #maxConnections: number;
  /** No more than the variables name, twice. */
  readonly #clients = new Map<string, HttpClient>();
  readonly #shutdown = new AbortController();
  #trust: Promise<ProviderTrust> | null = null;

  /** @param maxConnections to one place, as for `HttpClient`. */
  constructor(network: SideTaskNetwork, maxConnections: number) {
    this.#network = network;
    this.#maxConnections = maxConnections;
  }

  /** Rejects with a `RouteFailure`. */
  async postJson(post: HttpPost): Promise<HttpAnswer> {
    const { fault, proxy } = chooseProviderProxy(post.url, this.#network);
    if (fault !== null) {
      const message = `${fault.variable} ${fault.problem}.`;
      throw new RouteFailure("misconfigured", { code: "proxy_not_supported", message });
    }
    if (proxy === null) return this.#clientFor(null, false).postJson(post);
    // A proxy is handed requests to http:// servers themselves, and opens tunnels to all others.
    const isForwarded = new URL(post.url).protocol === "http:";
    const client = this.#clientFor(proxy, isForwarded);
    try {
      const answer = await client.postJson({ ...post, ...(isForwarded && { proxy: new URL(proxy.url) }) });
      if (isForwarded && answer.status === 407) throw failureOf({ kind: "refused", status: 407 }, proxy);
      return answer;
    } catch (error) {
      throw nameLoss(error, proxy);
    }
  }

  /** Ends every exchange and connection. */
  async destroy(): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#clients.values()].map((client) => client.destroy()));
  }

  #clientFor(proxy: ChosenProxy | null, isForwarded: boolean): HttpClient {
    const key = `${isForwarded} ${proxy?.url}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const connect: buildConnector.connector = ({ protocol, host, hostname }, callback) => {
      // Whoever forwards is asked for connections to the proxy, which that of any http:// server is.
      const target = isForwarded ? `http://${hostname}` : `${protocol}//${host ?? hostname}`;
      this.#open(target, proxy).then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    };
    const client = new HttpClient(this.#maxConnections, connect);
    this.#clients.set(key, client);
    return client;
  }

  async #open(target: string, proxy: ChosenProxy | null): Promise<Socket> {
    this.#trust ??= readTrust(this.#network);
    const { context, fault: file } = await this.#trust;
    const limits = { timeoutMs: httpLimits.connectTimeoutMs, signal: this.#shutdown.signal };
    const opened = await openRoute({ target, proxy, trust: { context, isJudge: true } }, limits);
    if (opened.fault === null) return opened.socket;
    const isFiles = opened.fault.kind === "certificate" && file !== null;
    throw failureOf(isFiles ? { kind: "certificate_file", file } : opened.fault, proxy);
  }
}

async function readTrust(network: SideTaskNetwork): Promise<ProviderTrust> {
  const { certificates, fault } = await readNodeRoots(network);
  const context = certificates === null ? null : createSecureContext({ ca: [...certificates] });
  return { context, fault };
}

function failureOf(fault: RouteFault, proxy: ChosenProxy | null): RouteFailure {
  const { found, advice, mayPass } = describeRouteFault(fault, proxy, {
    server: "external provider",
    trust: "name its certificate authority (a file in PEM form) in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.",
    restart: "Then start this program again.",
  });
  const message = `${found} ${advice}`;
  return new RouteFailure(mayPass ? "unreachable" : "misconfigured", { code: codeOf(fault), message });
}

function codeOf(fault: RouteFault): string {
  switch (fault.kind) {
    case "unreachable":
    case "certificate":
      return fault.reason;
    case "silent":
      return fault.of === "proxy" ? "proxy_timeout" : "UND_ERR_CONNECT_TIMEOUT";
    case "hung_up":
      return "connection_closed";
    case "refused":
      return fault.status === 407 ? "proxy_authentication_required" : `proxy_answered_${fault.status}`;
    case "certificate_file":
      return "certificate_file";
  }
}

/** A connection that broke after the request was sent says which way it took. */
function nameLoss(error: unknown, proxy: ChosenProxy): unknown {
  if (!(error instanceof RouteFailure) || error.failure !== "connection_lost") return error;
  const { code } = error;
  const message = `The connection to the external provider through the proxy that ${proxy.variable} names broke (${code}).`;
  return new RouteFailure("connection_lost", { code, message, cause: error.cause });
}
