/** Servers on a unix socket of their own: one that speaks WebSocket, and one that leaves all to the test. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { type WebSocket, WebSocketServer } from "ws";

export function temporarySocketPath(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "app-server-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "s");
}

export interface WebSocketListener {
  readonly socketPath: string;
  readonly server: Server;
  /** The next client, with the socket below it. */
  nextClient(): Promise<{ readonly client: WebSocket; readonly socket: Socket }>;
}

export async function listenForWebSockets(
  t: Test,
  onClient?: (client: WebSocket) => void,
): Promise<WebSocketListener> {
  const socketPath = temporarySocketPath(t);
  const server = createHttpServer();
  const webSockets = new WebSocketServer({ server, maxPayload: 256 * 1024 * 1024 });
  if (onClient !== undefined) webSockets.on("connection", onClient);
  await listen(t, server, socketPath);
  t.teardown(() => {
    for (const client of webSockets.clients) client.terminate();
  });
  return {
    socketPath,
    server,
    async nextClient() {
      const [client, { socket }] = await once(webSockets, "connection");
      return { client, socket };
    },
  };
}

export async function listenRaw(t: Test, onSocket: (socket: Socket) => void): Promise<string> {
  const socketPath = temporarySocketPath(t);
  await listen(t, createServer(onSocket), socketPath);
  return socketPath;
}

async function listen(t: Test, server: Server, socketPath: string): Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A client that goes away is what many of these tests are about.
    socket.on("error", () => {});
  });
  server.listen(socketPath);
  await once(server, "listening");
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
}
