/**
 * Handshakes of WebSockets as requests: they pass the same guards as any other, are answered with the same errors, and are handed over
 * only by the route that takes them.
 */
import { IncomingMessage, type RequestListener, type Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { CodexNativeApiError } from "../../errors.js";

/**
 * A request that node hands over as an upgrade only if it may become a WebSocket. Clients of other kinds offer `h2c` with ordinary
 * requests, and node would take those from the connection as well, body included.
 */
export class UpgradableRequest extends IncomingMessage {
  get upgrade(): boolean {
    return offering.has(this) && (this.method === "CONNECT" || mayBeHandshake(this));
  }

  /** node sets it before the headers are there, and while the object is still being made. */
  set upgrade(isOffered: boolean) {
    if (isOffered) offering.add(this);
  }
}

const offering = new WeakSet<IncomingMessage>();

function mayBeHandshake({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return method === "GET" && !hasBody && headers.upgrade?.toLowerCase() === "websocket";
}

/** A connection that waits to become a WebSocket. */
export interface Upgrade {
  readonly socket: Socket;
  /** What the client has sent behind its handshake. */
  readonly head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Serves handshakes like requests. A refusal ends its connection. */
export function serveUpgrades(server: Server, serve: RequestListener): void {
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    // No client sends one behind a request that is not answered yet, and there is no second response to queue it in.
    if (!(socket instanceof Socket) || isBusy(socket)) {
      socket.destroy();
      return;
    }
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once("finish", () => socket.destroySoon());
    upgrades.set(request, { socket, head });
    serve(request, response);
  });
}

function isBusy(socket: Socket): boolean {
  return "_httpMessage" in socket && socket._httpMessage !== null && socket._httpMessage !== undefined;
}

/** Whether a request is a handshake that no WebSocket was made of yet: an answer to it is the last of its connection. */
export function isHandshake(request: IncomingMessage): boolean {
  return upgrades.has(request);
}

/** What `ws` accepts as a key: 16 bytes in Base64. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;

/**
 * The connection of a handshake, which from here on belongs to the caller.
 *
 * @throws CodexNativeApiError `upgrade_required` for a request that is none, or of another version of the protocol; `invalid_request`
 *   for one without a valid key.
 */
export function takeUpgrade(request: IncomingMessage, response: ServerResponse): Upgrade {
  const upgrade = upgrades.get(request);
  const { "sec-websocket-version": version, "sec-websocket-key": key } = request.headers;
  if (upgrade === undefined || version !== "13") {
    response.setHeader("upgrade", "websocket");
    response.setHeader("sec-websocket-version", "13");
    const message =
      "This route is a WebSocket (version 13). Without one, POST to it; a stored response is read at /v1/responses/{id}.";
    throw new CodexNativeApiError("upgrade_required", message);
  }
  if (typeof key !== "string" || !keyForm.test(key)) {
    throw new CodexNativeApiError(
      "invalid_request",
      "The header 'sec-websocket-key' is missing or not valid.",
    );
  }
  // No subprotocol is chosen. `ws` would choose the first, and answer a list at fault by itself.
  delete request.headers["sec-websocket-protocol"];
  upgrades.delete(request);
  response.detachSocket(upgrade.socket);
  return upgrade;
}
