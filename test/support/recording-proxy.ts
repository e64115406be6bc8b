/** A proxy that passes everything on to this machine's own servers, and keeps what could be read of it on the way. */
import { createServer, type IncomingMessage, request as passOn, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Test } from "tap";

/** What somebody who has the proxy can read. */
export interface ProxiedText {
  /** Of a request: its line and headers. Of a tunnel: what its client sent in it. */
  readonly text: string;
  readonly kind: "request" | "tunnel";
}

export interface RecordingProxy {
  /** For the environment of a process, which then sends everything through the proxy, to this machine too. */
  readonly environment: Readonly<Record<string, string>>;
  /** In the order in which they began. */
  readonly seen: readonly ProxiedText[];
}

/** More than the head of a request that opens a WebSocket. */
const maxTunnelText = 65_536;

export async function startRecordingProxy(t: Pick<Test, "teardown">): Promise<RecordingProxy> {
  const seen: { text: string; readonly kind: ProxiedText["kind"] }[] = [];
  const tunnels = new Set<Duplex>();
  const server = createServer((request, response) => {
    seen.push({ kind: "request", text: describeHead(request) });
    forward(request, response);
  });
  server.on("connect", (request, socket, head) => {
    const tunnel = { kind: "tunnel" as const, text: `${describeHead(request)}\n\n` };
    seen.push(tunnel);
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connected\r\n\r\n");
      target.write(head);
      socket.pipe(target).pipe(socket);
    });
    for (const [end, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      tunnels.add(end);
      end.on("error", () => other.destroy());
      end.on("close", () => other.destroy());
    }
    socket.on("data", (bytes: Buffer) => {
      if (tunnel.text.length < maxTunnelText) tunnel.text += bytes.toString("latin1");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => {
    for (const end of tunnels) end.destroy();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const proxy = `http://127.0.0.1:${address.port}`;
  return { environment: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }, seen };
}

function describeHead({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `\n${text}: ` : text));
  return `${method} ${url}${lines.join("")}`;
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { method = "GET", headers, url = "" } = request;
  const { hostname, port, pathname, search } = new URL(url);
  const onward = passOn({ hostname, port, method, path: pathname + search, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
