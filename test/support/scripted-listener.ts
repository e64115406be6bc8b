/** An HTTP server on loopback that a test plays by hand: what it is asked is kept, what it answers is a script. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Test } from "tap";
import { isJsonObject, type JsonObject } from "../../src/workers/contract/json.js";

export interface ScriptedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
  /** Settles when the connection of the exchange is gone or the exchange is over. */
  readonly closed: Promise<unknown>;
}

export type ListenerScript = (request: ScriptedRequest, response: ServerResponse) => void;

export class ScriptedListener {
  /** Every request, in order. */
  readonly requests: ScriptedRequest[] = [];
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#receive(request, response));
  readonly #waiting: (() => void)[] = [];
  #script: ListenerScript;
  #port = 0;

  constructor(script: ListenerScript) {
    this.#script = script;
    this.#server.on("connection", (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
    });
  }

  static async start(t: Pick<Test, "teardown">, script: ListenerScript): Promise<ScriptedListener> {
    const listener = new ScriptedListener(script);
    await listener.listen();
    t.teardown(() => listener.die());
    return listener;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** That have come, over all connections. */
  get bytes(): number {
    return [...this.#sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  play(script: ListenerScript): void {
    this.#script = script;
  }

  /** Settles when so many requests have come. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Listens, after `die` on the same port. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = portOf(this.#server.address());
  }

  /** As a killed process would: every connection is cut, and nobody listens. */
  async die(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = once(response, "close");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const record = {
      path: request.url ?? "",
      headers: request.headers,
      body: isJsonObject(body) ? body : {},
      closed,
    };
    this.requests.push(record);
    for (const wake of this.#waiting.splice(0)) wake();
    this.#script(record, response);
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("The listener has no port.");
  return address.port;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Answers with an error in OpenAI's shape. */
export function failWith(status: number, code: string | null, retryAfterSeconds?: number): ListenerScript {
  return (_request, response) => {
    const headers: Record<string, string> =
      retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
    const error = { message: `failed with ${code}`, type: "server_error", param: null, code };
    sendJson(response, status, { error }, headers);
  };
}

export function answerRaw(status: number, body: string): ListenerScript {
  return (_request, response) => response.writeHead(status).end(body);
}

/** The request is taken, and never answered. */
export const hang: ListenerScript = () => {};

/** The request is taken, then the connection is cut. */
export const hangUp: ListenerScript = (_request, response) => void response.socket?.destroy();
