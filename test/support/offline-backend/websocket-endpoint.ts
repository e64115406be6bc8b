import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { EventSink } from "./event-sink.js";
import { type Frame, newResponseId, ResponseContext } from "./frame.js";
import { httpError } from "./http-errors.js";
import { type JsonObject, parseJsonObject } from "./json.js";
import type { ModelService } from "./model-service.js";
import { playFrames, playReply } from "./play-reply.js";
import { type ModelRequestBody, parseModelRequestBody } from "./recorded-request.js";
import { renderResponse, renderWarmup } from "./render-response.js";
import type { HangUpReply, HttpErrorReply } from "./reply.js";
import { flattenHeaders } from "./sse-endpoint.js";

/** Responses a connection remembers for `previous_response_id`; Codex only ever names the last one. */
const MAX_REMEMBERED_RESPONSES = 8;
const HIGH_WATER_BYTES = 1_048_576;

/** `GET /v1/responses`, upgraded: many requests, one after the other, on one connection. */
export class WebSocketConversation {
  readonly #socket: WebSocket;
  /** What the WebSocket runs on. */
  readonly #tcpSocket: Socket;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #service: ModelService;
  /** By response id: the input as the model saw it and what it answered. */
  readonly #history = new Map<string, readonly JsonObject[]>();
  #current: WebSocketSink | undefined;

  constructor(socket: WebSocket, request: IncomingMessage, service: ModelService) {
    this.#socket = socket;
    this.#tcpSocket = request.socket;
    this.#headers = flattenHeaders(request);
    this.#service = service;
    socket.on("message", (data) => {
      const text = Buffer.isBuffer(data) ? data.toString("utf8") : String(data);
      this.#receive(text).catch((error: unknown) => {
        service.reportFault(error);
        socket.terminate();
      });
    });
    socket.on("close", () => this.#current?.markClosed());
    socket.on("error", () => this.#current?.markClosed());
  }

  async #receive(text: string): Promise<void> {
    const message = parseJsonObject(text);
    if (message?.type === "response.processed") {
      return;
    }
    const body = message?.type === "response.create" ? parseModelRequestBody(text) : undefined;
    if (body === undefined || this.#current !== undefined) {
      this.#service.counters.invalidModelRequests++;
      this.#sendError(httpError(400, { message: "Not a model request, or one is running already." }));
      return;
    }
    const before = this.#inputBefore(body);
    if (before === undefined) {
      const message = `Previous response with id '${body.previous_response_id}' not found.`;
      this.#sendError(httpError(400, { code: "previous_response_not_found", message }));
      return;
    }
    const sink = new WebSocketSink(this.#socket);
    this.#current = sink;
    try {
      await this.#answer(body, text, [...before, ...body.input], sink);
    } finally {
      this.#current = undefined;
    }
  }

  #inputBefore(body: ModelRequestBody): readonly JsonObject[] | undefined {
    const previous = body.previous_response_id;
    return previous === undefined ? [] : this.#history.get(previous);
  }

  async #answer(
    body: ModelRequestBody,
    bodyText: string,
    fullInput: readonly JsonObject[],
    sink: WebSocketSink,
  ): Promise<void> {
    const service = this.#service;
    const isWarmup = body.generate === false;
    const context = new ResponseContext(newResponseId(), body.model);
    const record = service.open({
      transport: "websocket",
      headers: this.#headers,
      bodyText,
      bodyBytes: Buffer.byteLength(bodyText),
      body,
      fullInput,
      responseId: context.responseId,
      isWarmup,
    });
    const refusal = service.refusalFor(record);
    if (isWarmup && refusal === undefined) {
      await playFrames(renderWarmup(context), sink);
      this.#remember(context.responseId, fullInput);
      service.close(record, sink.isClosed ? "client-closed" : "completed");
      return;
    }
    const reply = refusal ?? service.nextReply(record);
    if (reply.startDelayMs > 0) {
      await sink.sleep(reply.startDelayMs);
    }
    if (reply.kind === "hang-up") {
      this.#hangUp(reply);
      service.close(record, "cut");
      return;
    }
    if (reply.kind === "http-error") {
      if (!sink.isClosed) {
        this.#sendError(reply);
      }
      service.close(record, sink.isClosed ? "client-closed" : "http-error");
      return;
    }
    if (!sink.isClosed) {
      for (const event of service.rateLimits.toEvents()) this.#socket.send(event);
    }
    const outcome = await playReply(reply, renderResponse(reply, context), sink);
    if (outcome === "completed") {
      this.#remember(context.responseId, [...fullInput, ...context.output]);
    }
    service.close(record, outcome);
  }

  #remember(responseId: string, input: readonly JsonObject[]): void {
    this.#history.set(responseId, input);
    for (const oldest of this.#history.keys()) {
      if (this.#history.size <= MAX_REMEMBERED_RESPONSES) {
        return;
      }
      this.#history.delete(oldest);
    }
  }

  #hangUp({ how }: HangUpReply): void {
    if (how === "reset") this.#tcpSocket.resetAndDestroy();
    else this.#socket.close(how.closeCode, how.reason);
  }

  #sendError(reply: HttpErrorReply): void {
    const body = parseJsonObject(reply.bodyText) ?? { error: { message: reply.bodyText } };
    const event = { type: "error", status: reply.status, ...body, headers: reply.headers };
    this.#socket.send(JSON.stringify(event));
  }
}

class WebSocketSink extends EventSink {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  override write(frames: readonly Frame[]): Promise<void> | undefined {
    const socket = this.#socket;
    const last = frames.length - 1;
    for (const [index, frame] of frames.entries()) {
      if (index === last && socket.bufferedAmount > HIGH_WATER_BYTES) {
        return this.until((done) => socket.send(frame.json, () => done()));
      }
      socket.send(frame.json);
    }
    return undefined;
  }

  override cut(): void {
    // Terminating at once would take the events with it that are still on their way to the kernel.
    this.#socket.ping(undefined, false, () => this.#socket.terminate());
  }
}
