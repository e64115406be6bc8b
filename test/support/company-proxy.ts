/**
 * The proxy of a company, between Codex and the offline backend. It reads TLS with a certificate of its own authority (port 80 has
 * none) and passes everything on to the backend, whatever host was asked for; or it fails, as proxies do.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as passRequest,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
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
  /** Opens the tunnel, and answers the handshake with what is no TLS, or by closing the connection. */
  | { readonly kind: "break_tls"; readonly by: "garbage" | "close" }
  /** Reads the request and closes the connection. */
  | { readonly kind: "hang_up" }
  /** Reads the request and never answers. */
  | { readonly kind: "black_hole" };

export interface CompanyProxy {
  /** `http://127.0.0.1:PORT`, or `https://`. */
  readonly url: string;
  readonly port: number;
  /** A TLS server on `localhost` with the same certificate before the same backend: what NO_PROXY leads to. */
  readonly directUrl: string;
  /** Hosts of the CONNECT requests, in their order. */
  readonly asked: readonly string[];
  /** Requests to `http://` servers that were handed to the proxy itself: method and whole URL. */
  readonly forwarded: readonly string[];
  /** What went through the tunnels, without TLS. */
  readonly bytes: { up: number; down: number };
  /** Upgrades to WebSockets and other requests that came out of the tunnels, by their request lines. */
  readonly requests: readonly string[];
  setMood(mood: ProxyMood): void;
  /** Cuts every tunnel and listens no more. */
  die(): Promise<void>;
}

/** @param scheme of the proxy's own address. */
export async function startCompanyProxy(
  t: Pick<Test, "teardown">,
  backendOrigin: string,
  scheme: "http" | "https" = "http",
): Promise<CompanyProxy> {
  const backend = new URL(backendOrigin);
  let mood: ProxyMood = { kind: "pass" };
  const asked: string[] = [];
  const forwarded: string[] = [];
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
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    forwarded.push(`${request.method} ${request.url}`);
    const answer = answerOf(mood, request.headers);
    if (answer === null) return;
    if (answer === "hang_up") return void response.destroy();
    if (answer.status === 200) return forward(request, response, backend);
    response.writeHead(answer.status, answer.headers).end();
  };
  const server =
    scheme === "http" ? createServer(onRequest) : createHttpsServer(companyCertificate, onRequest);
  server.on("connection", keep);
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    keep(socket);
    asked.push(request.url ?? "");
    const answer = answerOf(mood, request.headers);
    if (answer === null) return;
    if (answer === "hang_up") return void socket.destroy();
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${answer.status} Company proxy\r\n${lines.join("")}\r\n`;
    if (answer.status !== 200) return void socket.end(head);
    socket.write(head);
    if (mood.kind === "break_tls") {
      const { by } = mood;
      return void socket.once("data", () => socket.end(by === "garbage" ? "no TLS is here" : ""));
    }
    const isPlain = request.url?.endsWith(":80");
    passOn(isPlain ? socket : new TLSSocket(socket, { isServer: true, ...companyCertificate }), bytes);
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
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    directUrl: `https://localhost:${directPort}`,
    asked,
    forwarded,
    bytes,
    requests,
    setMood: (next) => {
      mood = next;
    },
    die,
  };
}

interface ProxyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** 200: the request passes. Null: it is never answered. */
function answerOf(mood: ProxyMood, headers: IncomingHttpHeaders): ProxyAnswer | "hang_up" | null {
  switch (mood.kind) {
    case "pass":
    case "break_tls":
      return { status: 200, headers: {} };
    case "ask_password": {
      const expected = `Basic ${Buffer.from(`${mood.user}:${mood.password}`).toString("base64")}`;
      if (headers["proxy-authorization"] === expected) return { status: 200, headers: {} };
      return {
        status: 407,
        headers: { "proxy-authenticate": 'Basic realm="company"', "content-length": "0" },
      };
    }
    case "refuse":
      return { status: mood.status, headers: { "content-length": "0" } };
    case "hang_up":
      return "hang_up";
    case "black_hole":
      return null;
  }
}

function forward(request: IncomingMessage, response: ServerResponse, backend: URL): void {
  const { method = "GET", headers, url = "" } = request;
  const { pathname, search } = new URL(url);
  const { hostname, port } = backend;
  const onward = passRequest({ hostname, port, method, path: pathname + search, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
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
