import type { FastifyReply, FastifyRequest } from "fastify";
import { WebSocketServer } from "ws";
import { createDeferred, type Deferred, waitWithin } from "../../../workers/contract/wait.js";
import { CodexNativeApiError } from "../../errors.js";
import type { AccessPolicy } from "../access-policy.js";
import { anonymousCaller, type BodyLimits } from "../body/incoming-body.js";
import { recordOf } from "../request-record.js";
import { defaultListenerLimits } from "../server-options.js";
import { closeCodes, ResponsesSocket } from "./responses-socket.js";
import type { SocketTurnHost } from "./socket-turn.js";
import { takeUpgrade } from "./upgrade.js";

export interface WebSocketsOptions {
  readonly access: () => AccessPolicy;
  readonly bodyLimits: BodyLimits;
  readonly isClosing: () => boolean;
}

/** Frames that one message may consist of, and pieces in which it may arrive: more would cost far more than their bytes. */
const messageParts = { maxFragments: 1024, maxBufferedChunks: 64 * 1024 } as const;

/** Least time between two looks at the connections. */
const leastCheckMs = 50;

/** All WebSockets of a server. */
export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // A compressed message may be a thousand times as large as it arrives, and events gain little on loopback.
    perMessageDeflate: false,
    ...messageParts,
  });
  readonly #open = new Set<ResponsesSocket>();
  readonly #countOf = new Map<string, number>();
  #checks: NodeJS.Timeout | null = null;
  #empty: Deferred<void> | null = null;

  constructor(options: WebSocketsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Makes a WebSocket of a request, or throws what refuses it. */
  accept(request: FastifyRequest, reply: FastifyReply, host: SocketTurnHost): void {
    const { access, bodyLimits, isClosing } = this.#options;
    const record = recordOf(request);
    const { headers, raw } = request;
    const owner = record.token?.name ?? anonymousCaller;
    const limits = { ...defaultListenerLimits, ...host.context.limits };
    if ((this.#countOf.get(owner) ?? 0) >= limits.maxWebSocketsPerCaller) {
      const message = `This caller has ${limits.maxWebSocketsPerCaller} WebSockets open, which is the most it may have.`;
      throw new CodexNativeApiError("queue_full", message, { retryAfterMs: 1_000 });
    }
    const { socket, head } = takeUpgrade(raw, reply.raw);
    reply.hijack();
    this.#enter(owner, 1);
    socket.once("close", () => this.#enter(owner, -1));
    // `ws` reads it anew for each connection.
    this.#server.options.maxPayload = bodyLimits.bounds.maxBytes;
    this.#server.once("headers", (lines) => lines.push(`x-request-id: ${request.id}`));
    this.#server.handleUpgrade(raw, socket, head, (webSocket) => {
      const connection = new ResponsesSocket({
        ...host,
        webSocket,
        socket,
        headers,
        requestId: request.id,
        bodyLimits,
        bodyCaller: owner,
        admit: () => {
          if (isClosing()) {
            throw new CodexNativeApiError("native_runtime_unavailable", "The service is shutting down.");
          }
          const policy = access();
          policy.guard.check(headers, socket.localAddress);
          return policy.auth.check(headers);
        },
      });
      this.#add(connection, webSocket, limits.webSocketPingMs);
      record.isUpgraded = true;
    });
    this.#server.removeAllListeners("headers");
    host.inFlight.end(reply.raw);
  }

  /** Closes those that the rules in force would not let in: each once its last response has ended. */
  recheck(): void {
    for (const connection of this.#open) {
      try {
        connection.admit();
      } catch {
        connection.finish(closeCodes.policy, "The token was withdrawn.");
      }
    }
  }

  /** Closes all of them, each once its last response has ended. */
  finish(): void {
    for (const connection of this.#open) {
      connection.finish(closeCodes.goingAway, "The service is shutting down.");
    }
  }

  /** Ends all of them: clients have the given time to answer the close. */
  async close(limitMs: number, signal: AbortSignal): Promise<void> {
    this.finish();
    if (this.#open.size > 0) {
      this.#empty ??= createDeferred();
      await waitWithin(this.#empty.promise, { timeoutMs: limitMs, signal }, () => {});
    }
    this.destroy();
  }

  /** Cuts all of them off. */
  destroy(): void {
    for (const connection of this.#open) connection.terminate();
  }

  #add(
    connection: ResponsesSocket,
    webSocket: { once(event: "close", listener: () => void): unknown },
    pingMs: number,
  ): void {
    this.#open.add(connection);
    this.#checks ??= setInterval(
      () => {
        for (const each of this.#open) each.check();
      },
      Math.max(leastCheckMs, pingMs / 4),
    ).unref();
    webSocket.once("close", () => {
      this.#open.delete(connection);
      if (this.#open.size > 0) return;
      this.#empty?.resolve();
      this.#empty = null;
      if (this.#checks !== null) clearInterval(this.#checks);
      this.#checks = null;
    });
  }

  #enter(owner: string, change: 1 | -1): void {
    const count = (this.#countOf.get(owner) ?? 0) + change;
    if (count > 0) this.#countOf.set(owner, count);
    else this.#countOf.delete(owner);
  }
}
