/**
 * The proxy of a company, between Codex and the offline backend. It reads TLS with a certificate of its own authority and passes
 * everything on to the backend, whatever host was asked for; or it fails, as proxies do.
 */
import { createServer, type IncomingMessage } from "node:http";
import { connect, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import type { Test } from "tap";
import { companyCertificate } from "./company-certificates.js";

export type ProxyMood =
  | { readonly kind: "pass" }
  /** Passes what comes with this user and password, and answers everything else with 407. */
  | { readonly kind: "ask_password"; readonly user: string; readonly password: string }
  | { readonly kind: "refuse"; readonly status: number }
  /** Reads the request and closes the connection. */
  | { readonly kind: "hang_up" }
  /** Reads the request and never answers. */
  | { readonly kind: "black_hole" };

export interface CompanyProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** A TLS server on `localhost` with the same certificate before the same backend: what NO_PROXY leads to. */
  readonly directUrl: string;
  /** Hosts of the CONNECT requests, in their order. */
  readonly asked: readonly string[];
  /** What went through the tunnels, without TLS. */
  readonly bytes: { up: number; down: number };
  /** Upgrades to WebSockets and other requests that came out of the tunnels, by their request lines. */
  readonly requests: readonly string[];
  setMood(mood: ProxyMood): void;
  /** Cuts every tunnel and listens no more. */
  die(): Promise<void>;
}

export async function startCompanyProxy(
  t: Pick<Test, "teardown">,
  backendOrigin: string,
): Promise<CompanyProxy> {
  const backend = new URL(backendOrigin);
  let mood: ProxyMood = { kind: "pass" };
  const asked: string[] = [];
  const requests: string[] = [];
  const bytes = { up: 0, down: 0 };
  const open = new Set<Duplex>();
  const keep = (socket: Duplex): void => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };
  const passOn = (plain: Duplex, counts?: { up: number; down: number }): void => {
    const target = connect(Number(backend.port), backend.hostname);
    keep(plain);
    keep(target);
    plain.on("data", (chunk: Buffer) => {
      const line = /^(?:GET|POST) \S+/.exec(chunk.toString("latin1"))?.[0];
      if (line !== undefined) requests.push(line);
      if (counts !== undefined) counts.up += chunk.length;
    });
    target.on("data", (chunk: Buffer) => {
      if (counts !== undefined) counts.down += chunk.length;
    });
    plain.on("close", () => target.destroy());
    target.on("close", () => plain.destroy());
    plain.pipe(target).pipe(plain);
  };
  const server = createServer((_request, response) => response.writeHead(501).end());
  server.on("connection", keep);
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    asked.push(request.url ?? "");
    const answer = answerOf(mood, request);
    if (answer === null) return;
    if (answer === "") return void socket.destroy();
    if (!answer.startsWith("HTTP/1.1 200")) return void socket.end(answer);
    socket.write(answer);
    passOn(new TLSSocket(socket, { isServer: true, ...companyCertificate }), bytes);
  });
  const direct = createTlsServer(companyCertificate, (plain) => passOn(plain));
  direct.on("connection", keep);
  const [port, directPort] = await Promise.all([listen(server), listen(direct)]);
  const die = async (): Promise<void> => {
    const closed = server.listening ? new Promise((resolve) => server.close(resolve)) : undefined;
    for (const socket of open) socket.destroy();
    await closed;
  };
  t.teardown(async () => {
    direct.close();
    await die();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    directUrl: `https://localhost:${directPort}`,
    asked,
    bytes,
    requests,
    setMood: (next) => {
      mood = next;
    },
    die,
  };
}

/** The answer to a CONNECT; empty: hang up; null: none. */
function answerOf(mood: ProxyMood, { headers }: IncomingMessage): string | null {
  const connected = "HTTP/1.1 200 Connection established\r\n\r\n";
  switch (mood.kind) {
    case "pass":
      return connected;
    case "ask_password": {
      const expected = `Basic ${Buffer.from(`${mood.user}:${mood.password}`).toString("base64")}`;
      if (headers["proxy-authorization"] === expected) return connected;
      return 'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="company"\r\ncontent-length: 0\r\n\r\n';
    }
    case "refuse":
      return `HTTP/1.1 ${mood.status} Forbidden\r\ncontent-length: 0\r\n\r\n`;
    case "hang_up":
      return "";
    case "black_hole":
      return null;
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return address.port;
}
