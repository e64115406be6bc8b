/**
 * An app-server that a test plays by hand, for faults that the real one will not produce. It speaks JSON-RPC over WebSocket on
 * loopback, answers what a healthy one answers, and does otherwise where a test says so. It is attached to like one of someone
 * else's: `ws://127.0.0.1:PORT`.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Test } from "tap";
import { type WebSocket, WebSocketServer } from "ws";
import { isJsonObject, type JsonObject } from "../../../src/workers/contract/json.js";
import { healthyAnswers } from "./healthy-answers.js";
import { ScriptedTurn, speak } from "./scripted-turn.js";

/** Something a client asked. */
export interface ScriptedCall {
  /** Null for a notification. */
  readonly id: unknown;
  readonly method: string;
  readonly params: JsonObject;
  readonly client: ScriptedClient;
}

/** What a call is answered with. `silence`: never. `usual`: as a healthy one answers it. */
export type ScriptedAnswer =
  | { readonly result: JsonObject }
  | { readonly error: { readonly code: number; readonly message: string } }
  | "silence"
  | "usual";

export type CallScript = (call: ScriptedCall) => ScriptedAnswer;
export type TurnScript = (turn: ScriptedTurn) => void;

/** One connection, with the socket below it for what no WebSocket would do. */
export interface ScriptedClient {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  send(message: JsonObject): void;
  /** Sends a request and resolves with the client's answer. */
  ask(method: string, params: JsonObject): Promise<JsonObject>;
}

export const overloaded: CallScript = () => ({ error: { code: -32001, message: "Server overloaded" } });
export const unanswered: CallScript = () => "silence";

export class ScriptedAppServer {
  /** Every call, in order. */
  readonly calls: ScriptedCall[] = [];
  readonly clients = new Set<ScriptedClient>();
  /** Connections ever made. */
  connections = 0;
  readonly #server = createServer();
  readonly #webSockets = new WebSocketServer({ server: this.#server, maxPayload: 256 * 1024 * 1024 });
  readonly #scripts = new Map<string, CallScript>();
  readonly #turns: TurnScript[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #usualTurn: TurnScript;
  #nextId = 1;

  private constructor(usualTurn: TurnScript) {
    this.#usualTurn = usualTurn;
  }

  /** @param usualTurn how turns go that nothing was queued for. */
  static async start(
    t: Pick<Test, "teardown">,
    usualTurn: TurnScript = speak("fine"),
  ): Promise<ScriptedAppServer> {
    const appServer = new ScriptedAppServer(usualTurn);
    appServer.#webSockets.on("connection", (webSocket, { socket }) => appServer.#meet(webSocket, socket));
    appServer.#server.listen(0, "127.0.0.1");
    await once(appServer.#server, "listening");
    t.teardown(() => appServer.#stop());
    return appServer;
  }

  get url(): string {
    // Listening on TCP: the address is never a path or null.
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  /** From now on calls of this method are answered so; null: as a healthy one answers them. */
  answer(method: string, script: CallScript | null): void {
    if (script === null) this.#scripts.delete(method);
    else this.#scripts.set(method, script);
  }

  /** How the next turn goes, once for each call of this; turns beyond these go as usual. */
  queueTurn(script: TurnScript): void {
    this.#turns.push(script);
  }

  countCalls(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Settles when a method was called so often. */
  async called(method: string, times = 1): Promise<void> {
    while (this.countCalls(method) < times) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #meet(webSocket: WebSocket, socket: Socket): void {
    this.connections += 1;
    const answers = new Map<unknown, (answer: JsonObject) => void>();
    const send = (message: JsonObject) => webSocket.send(JSON.stringify(message));
    const client: ScriptedClient = {
      webSocket,
      socket,
      send,
      ask: (method, params) => {
        const id = `asked-${this.#nextId++}`;
        send({ id, method, params });
        return new Promise((resolve) => answers.set(id, resolve));
      },
    };
    this.clients.add(client);
    webSocket.on("close", () => this.clients.delete(client));
    // A client that hangs up, or is hung up on, is what many of these tests are about.
    webSocket.on("error", () => {});
    webSocket.on("message", (data) => {
      const message: unknown = JSON.parse(String(data));
      if (!isJsonObject(message)) return;
      if (typeof message.method === "string") this.#take(client, message, message.method);
      else answers.get(message.id)?.(message);
    });
  }

  #take(client: ScriptedClient, message: JsonObject, method: string): void {
    const params = isJsonObject(message.params) ? message.params : {};
    const call = { id: message.id ?? null, method, params, client };
    this.calls.push(call);
    if (message.id === undefined) return;
    const scripted = this.#scripts.get(method)?.(call) ?? "usual";
    const answer = scripted === "usual" ? this.#healthy(call) : scripted;
    if (typeof answer === "object") client.send({ id: message.id, ...answer });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  readonly #healthy: CallScript = (call) => {
    if (call.method === "turn/start") return this.#startTurn(call);
    return healthyAnswers(call, this.#nextId++);
  };

  #startTurn({ params, client }: ScriptedCall): ScriptedAnswer {
    const turn = new ScriptedTurn(client, String(params.threadId), `turn-${this.#nextId++}`);
    const script = this.#turns.shift() ?? this.#usualTurn;
    // After the answer, as the real one does.
    setImmediate(() => script(turn));
    return { result: { turn: { id: turn.turnId, status: "inProgress" } } };
  }

  async #stop(): Promise<void> {
    for (const { webSocket } of this.clients) webSocket.terminate();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
