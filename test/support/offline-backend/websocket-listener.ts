import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { AccountLimits } from "./account-limits.js";
import type { AskedRoutes } from "./asked-routes.js";
import type { BackendCounters } from "./counters.js";
import type { ModelService } from "./model-service.js";
import type { TokenAuthority } from "./token-authority.js";
import { WebSocketConversation } from "./websocket-endpoint.js";

export interface WebSocketListenerParts {
  readonly service: ModelService;
  readonly tokens: TokenAuthority;
  readonly limits: AccountLimits;
  readonly counters: BackendCounters;
  readonly asked: AskedRoutes;
  /** At first. */
  readonly refusalStatus: number | null;
}

/** Takes upgrades of `GET …/responses`, the one route that has them, and refuses others by status. */
export class WebSocketListener {
  /** How long a connection may be without a message; null is for ever. */
  idleMs: number | null = null;
  /** The status of every upgrade; null where they are accepted. */
  refusalStatus: number | null;
  readonly #parts: WebSocketListenerParts;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 268_435_456,
  });

  constructor(server: Server, parts: WebSocketListenerParts) {
    this.#parts = parts;
    this.refusalStatus = parts.refusalStatus;
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { counters, asked } = this.#parts;
    counters.arrivals++;
    const question = asked.add(request, true);
    socket.on("error", () => socket.destroy());
    if (!question.path.endsWith("/responses")) {
      counters.unknownRoutes++;
      asked.addUnknown(question);
      refuse(socket, 404);
      return;
    }
    const status = this.#refusalFor(request);
    if (status !== null) {
      counters.refusedUpgrades++;
      refuse(socket, status);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(request, webSocket));
  }

  #refusalFor(request: IncomingMessage): number | null {
    const { tokens, limits } = this.#parts;
    return (
      this.refusalStatus ??
      tokens.refusalFor(request.headers.authorization)?.status ??
      limits.refuseUpgrade(accountOf(request)) ??
      null
    );
  }

  #accept(request: IncomingMessage, socket: WebSocket): void {
    const { counters, limits, service } = this.#parts;
    counters.websocketConnections++;
    counters.openWebsockets++;
    counters.peakOpenWebsockets = Math.max(counters.peakOpenWebsockets, counters.openWebsockets);
    const leave = limits.openConnection(accountOf(request));
    for (const frame of ["message", "ping", "pong"]) socket.on(frame, () => counters.arrivals++);
    socket.once("close", () => {
      counters.openWebsockets--;
      leave();
    });
    closeWhenIdle(socket, this.idleMs);
    new WebSocketConversation(socket, request, service);
  }
}

function accountOf(request: IncomingMessage): string {
  const account = request.headers["chatgpt-account-id"];
  return typeof account === "string" ? account : "";
}

function closeWhenIdle(socket: WebSocket, idleMs: number | null): void {
  if (idleMs === null) return;
  const timer = setTimeout(() => socket.close(1001), idleMs);
  socket.on("message", () => timer.refresh());
  socket.once("close", () => clearTimeout(timer));
}

function refuse(socket: Duplex, status: number): void {
  const body = JSON.stringify({ error: { message: "No WebSocket here.", code: null } });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
