import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { CodexNativeApiError } from "../../errors.js";
import type { ConnectionMemory } from "../../exchange/connection-memory.js";
import type { EventSink, RequestExchange } from "../../exchange/exchange.js";
import type { BodyLimits, HeldBody } from "../body/incoming-body.js";
import { toApiError } from "../error-reply.js";
import { createId } from "../request-id.js";
import { defaultListenerLimits, type ListenerLimits } from "../server-options.js";
import { ArrivingMessage } from "./arriving-message.js";
import {
  type ClientMessage,
  type CreateMessage,
  InvalidStreamId,
  readClientMessage,
} from "./client-event.js";
import { describeErrorEvent, describeSocketError, type ErrorEvent } from "./error-event.js";
import { type LaneRefusal, Lanes, laneLimits } from "./lanes.js";
import { runSocketTurn, SocketAnswer, type SocketTurnHost, type TurnConnection } from "./socket-turn.js";
import { SocketWriter } from "./socket-writer.js";
import { Steering } from "./steering.js";

/** Messages that have arrived and were not read yet; while there are so many, no more are taken from the connection. */
const unreadMessages = 16;

/** Why a connection is closed, as RFC 6455 counts. */
export const closeCodes = {
  goingAway: 1001,
  noText: 1003,
  policy: 1008,
  internal: 1011,
  later: 1013,
} as const;

export interface ResponsesSocketOptions extends SocketTurnHost {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  /** Of its handshake. */
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  readonly bodyLimits: BodyLimits;
  /** Whose part of the room for bodies its messages take. */
  readonly bodyCaller: string;
  readonly admit: TurnConnection["admit"];
}

interface UnreadMessage {
  readonly data: Buffer;
  readonly held: HeldBody;
}

/**
 * One WebSocket of the Responses API, from its handshake to its close. Messages are read one after the other, and each that asks for a
 * response is run in its lane as a request of its own: it is admitted, limited, logged and counted like a `POST`.
 */
export class ResponsesSocket implements TurnConnection {
  readonly socket: Socket;
  readonly headers: IncomingHttpHeaders;
  readonly memory: ConnectionMemory;
  readonly admit: TurnConnection["admit"];
  readonly #options: ResponsesSocketOptions;
  readonly #webSocket: WebSocket;
  readonly #writer: SocketWriter;
  readonly #arriving: ArrivingMessage;
  readonly #lanes = new Lanes(() => this.#onIdle());
  readonly #answers = new Set<SocketAnswer>();
  readonly #steering = new Steering(createId);
  readonly #unread: UnreadMessage[] = [];
  readonly #openedAtMs = performance.now();
  /** Why nothing is read from the client just now. */
  readonly #pauses = new Set<"full" | "unread">();
  #isReading = false;
  #usedAtMs = performance.now();
  #heardAtMs = performance.now();
  #pingedAtMs: number | null = null;
  #requests = 0;
  /** How it is to be closed once nothing runs. */
  #ending: readonly [code: number, reason: string] | null = null;

  constructor(options: ResponsesSocketOptions) {
    const { webSocket, socket, headers, context, bodyLimits, bodyCaller, admit } = options;
    this.#options = options;
    this.#webSocket = webSocket;
    this.socket = socket;
    this.headers = headers;
    this.admit = admit;
    this.memory = context.exchanges.openMemory();
    this.#writer = new SocketWriter(webSocket, socket, {
      stalledMs: () => this.#limits.stalledReaderTimeoutMs,
      onFull: (isFull) => this.#pause("full", isFull),
    });
    webSocket.on("message", this.#onMessage);
    webSocket.on("close", this.#onClose);
    // `ws` answers what breaks the protocol, is too large or no UTF-8 by itself: with a close.
    webSocket.on("error", () => {});
    const noteLife = () => {
      this.#heardAtMs = performance.now();
      this.#pingedAtMs = null;
    };
    socket.on("data", noteLife);
    this.#arriving = new ArrivingMessage({ webSocket, socket }, bodyLimits, bodyCaller, (why) => {
      const reason = why === "no_room" ? "There is no room for the message." : "The message came too slowly.";
      this.#close(why === "no_room" ? closeCodes.later : closeCodes.policy, reason);
    });
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  /** Answers what runs, and then closes. What waits is answered too, mostly with an error. */
  finish(code: number, reason: string): void {
    this.#ending ??= [code, reason];
    this.#onIdle();
  }

  /** Closes it now. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  /** Called every now and then: closes a connection that is dead, unused or old. */
  check(): void {
    const now = performance.now();
    const { webSocketPingMs, webSocketIdleMs } = this.#limits;
    // A client that reads nothing has a limit of its own, and is not read from.
    if (this.#pauses.size === 0) {
      if (this.#pingedAtMs !== null && now - this.#pingedAtMs >= webSocketPingMs) return this.terminate();
      if (this.#pingedAtMs === null && now - this.#heardAtMs >= webSocketPingMs) {
        this.#pingedAtMs = now;
        this.#webSocket.ping();
      }
    }
    if (!this.#lanes.isIdle || this.#isReading) return;
    if (this.#isOld) this.#close(closeCodes.goingAway, "The connection has reached its greatest age.");
    else if (now - this.#usedAtMs >= webSocketIdleMs) {
      this.#close(closeCodes.goingAway, "The connection was not used.");
    }
  }

  get #limits(): ListenerLimits {
    return { ...defaultListenerLimits, ...this.#options.context.limits };
  }

  get #isOld(): boolean {
    return performance.now() - this.#openedAtMs >= this.#limits.webSocketAgeMs;
  }

  readonly #onMessage = (data: RawData, isBinary: boolean): void => {
    if (!Buffer.isBuffer(data)) throw new TypeError("A WebSocket gives its messages as buffers.");
    if (isBinary) return this.#close(closeCodes.noText, "Send messages as text.");
    if (!this.isOpen) return;
    const held = this.#arriving.take(data.length);
    if (held === null) return this.#close(closeCodes.later, "There is no room for the message.");
    this.#unread.push({ data, held });
    if (this.#unread.length >= unreadMessages) this.#pause("unread", true);
    if (!this.#isReading) void this.#readAll();
  };

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) {
      if (this.isOpen) await this.#read(next);
      else next.held.release();
      // Many small messages are no reason to keep others waiting.
      await this.#options.context.loopShare.nextRound();
      if (this.#unread.length < unreadMessages) this.#pause("unread", false);
    }
    this.#isReading = false;
    this.#onIdle();
  }

  async #read({ data, held }: UnreadMessage): Promise<void> {
    const { bodyLimits, context } = this.#options;
    let streamId: string | null = null;
    try {
      const message = await readClientMessage(data, bodyLimits.bounds, context.loopShare);
      streamId = message.streamId;
      if (await this.#take(message, held)) return;
    } catch (error) {
      const event =
        error instanceof InvalidStreamId ? invalidStreamId : describeErrorEvent(toApiError(error), null);
      await this.#sendTo(streamId, [event]);
    }
    held.release();
  }

  /** Whether its bytes are still needed. Throws what is wrong with it. */
  async #take({ streamId, read }: ClientMessage, held: HeldBody): Promise<boolean> {
    const event = await read();
    if (event.type === "response.processed") return false;
    this.#usedAtMs = performance.now();
    if (event.type === "response.steer") {
      const steered = this.#steering.steer(event);
      await this.#sendTo(steered.streamId, steered.events);
      return false;
    }
    const refusal = this.#isOld ? ageReached : this.#add(streamId, event, held);
    if (refusal !== null) void this.#sendTo(streamId, [refusal]);
    return refusal === null;
  }

  #add(streamId: string | null, message: CreateMessage, held: HeldBody): ErrorEvent | null {
    const refusal = this.#lanes.add(streamId, async () => {
      let next: CreateMessage | null = this.#steering.join(message);
      while (next !== null && this.isOpen) next = await this.#run(streamId, next);
      this.#usedAtMs = performance.now();
      held.release();
    });
    return refusal === null ? null : laneRefusals[refusal];
  }

  /** One response. Resolves with the request that follows it of itself, or null. */
  async #run(streamId: string | null, message: CreateMessage): Promise<CreateMessage | null> {
    const answer = new SocketAnswer();
    this.#requests += 1;
    const requestId = `${this.#options.requestId}.${this.#requests}`;
    const send: EventSink = (events) => this.#sendTo(streamId, events);
    let exchange: RequestExchange | null = null;
    const onBegun = (begun: RequestExchange) => {
      exchange = begun;
      this.#steering.begin(begun.id, streamId, message);
    };
    this.#answers.add(answer);
    const turn = { requestId, message, answer, connection: this, send, onBegun };
    const outcome = await runSocketTurn(turn, this.#options);
    this.#answers.delete(answer);
    if (answer.refusal !== null) await send(this.#steering.refuse(message));
    return exchange === null ? null : this.#steerOn(exchange, outcome, send);
  }

  async #steerOn(
    { id, answer: { body } }: RequestExchange,
    outcome: string | null,
    send: EventSink,
  ): Promise<CreateMessage | null> {
    const isDone = outcome !== null && outcome !== "failed" && outcome !== "cancelled";
    const output = "output" in body && Array.isArray(body.output) ? body.output : [];
    const { events, successor, forgotten } = this.#steering.end({ id, isDone, output });
    if (forgotten !== null) await this.#sendTo(forgotten.streamId, forgotten.events);
    await send(events);
    return successor;
  }

  #sendTo(streamId: string | null, events: readonly unknown[]): undefined | Promise<void> {
    const lane = streamId === null ? undefined : { stream_id: streamId };
    return this.#writer.write(
      events.map((event) => JSON.stringify(lane === undefined ? event : Object.assign({}, event, lane))),
    );
  }

  #pause(why: "full" | "unread", isPaused: boolean): void {
    if (isPaused) this.#pauses.add(why);
    else this.#pauses.delete(why);
    if (this.#pauses.size > 0) this.#webSocket.pause();
    else this.#webSocket.resume();
  }

  #onIdle(): void {
    if (this.#ending === null || !this.#lanes.isIdle || this.#isReading) return;
    this.#close(...this.#ending);
  }

  #close(code: number, reason: string): void {
    if (this.isOpen) this.#writer.close(code, reason);
  }

  readonly #onClose = (): void => {
    const { inFlight } = this.#options;
    for (const { held } of this.#unread.splice(0)) held.release();
    for (const answer of this.#answers) inFlight.end(answer);
    // Turns that are being ended find it closed, and keep nothing.
    void this.memory.close();
  };
}

const invalidStreamId = describeSocketError(
  "invalid_stream_id",
  "The 'stream_id' field must be a non-empty string with at most 256 characters and may only contain letters, numbers, underscores, hyphens, and periods.",
  "stream_id",
);

const ageReached = describeSocketError(
  "websocket_connection_limit_reached",
  "Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.",
);

const laneRefusals: Readonly<Record<LaneRefusal, ErrorEvent>> = {
  too_many_names: describeSocketError(
    "websocket_stream_limit_reached",
    `This WebSocket connection has reached its maximum number of distinct stream IDs (${laneLimits.names}). Reuse an existing stream_id or open a new WebSocket connection.`,
    "stream_id",
  ),
  too_many_waiting: describeErrorEvent(
    new CodexNativeApiError(
      "queue_full",
      `On this connection ${laneLimits.waiting} requests wait already. Wait for a response to end.`,
      { retryAfterMs: 1_000 },
    ),
    null,
  ),
};
