/** Answers as server-sent events: the writer of a stream, a stream that waits for output before it begins, and one that follows an event log. */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { createDeferred, type Deferred } from "../../workers/contract/wait.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type { ErrorShape, SentAnswer } from "../dialects/dialect.js";
import type { CodexNativeApiError } from "../errors.js";
import type { ExchangeEnd } from "../exchange/exchange.js";
import { toApiError } from "./error-reply.js";
import { HeldHead } from "./held-head.js";
import type { WaitingCaller } from "./in-flight.js";
import { defaultListenerLimits, type ListenerLimits, type RouteContext } from "./server-options.js";

/** The part of the longest silence after which a sign of life is sent: the rest is for a busy event loop, and for the network. */
export const silentShare = 0.9;

/** Takes the answer out of fastify's hands. Its body comes bit by bit; the head is sent with the first part. */
export function beginLiveAnswer(
  reply: FastifyReply,
  { limits }: Pick<RouteContext, "limits">,
  contentType: string,
): void {
  reply.hijack();
  const response = reply.raw;
  cutStalledReader(response, limits);
  if (response.destroyed) return;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  // For proxies that would collect the answer before they pass it on.
  response.writeHead(200, { "content-type": contentType, "x-accel-buffering": "no" });
}

/** Sends the last part of an answer. Settles when the client has all of it, or has left, or was disconnected. */
export function endLiveAnswer(response: ServerResponse, lastPart: string): Promise<void> {
  const closed = createDeferred<void>();
  response.once("close", closed.resolve);
  response.end(lastPart);
  return closed.promise;
}

/**
 * For an answer that has begun: disconnects a client that reads nothing for `stalledReaderTimeoutMs`. It would keep the answer in memory,
 * and its turn open, for as long as it likes. The socket counts every byte taken, and a silent stream sends comments.
 */
export function cutStalledReader(response: ServerResponse, limits: Partial<ListenerLimits>): void {
  const timeoutMs = limits.stalledReaderTimeoutMs ?? defaultListenerLimits.stalledReaderTimeoutMs;
  response.setTimeout(timeoutMs, () => response.destroy());
}

/** Most text that is collected for one write, in characters. */
const flushChars = 32 * 1024;

/**
 * One stream of server-sent events. All writes of one round of the event loop go to the socket as one piece. While the socket is full,
 * writes return a promise, so that a slow client slows its own turn and nothing piles up.
 */
export class SseWriter {
  readonly #response: ServerResponse;
  readonly #silenceMs: number;
  #keepAlive: NodeJS.Timeout;
  #pending = "";
  #flushTimer: NodeJS.Immediate | undefined;
  #drained: Deferred<void> | null = null;
  #state: "open" | "ending" | "closed" = "open";
  #lastByteAtMs = performance.now();

  /** Takes the answer out of fastify's hands, and prepares the headers. */
  constructor(reply: FastifyReply, context: Pick<RouteContext, "keepAliveCommentMs" | "limits">) {
    this.#response = reply.raw;
    this.#silenceMs = context.keepAliveCommentMs * silentShare;
    this.#keepAlive = setTimeout(this.#breakSilence, this.#silenceMs);
    this.#response.on("drain", this.#onDrain);
    this.#response.once("close", this.#onClose);
    // A write to a socket that has just closed emits an error; `close` follows, and nothing else is to be done.
    this.#response.on("error", this.#onClose);
    beginLiveAnswer(reply, context, "text/event-stream; charset=utf-8");
    if (this.#response.destroyed) this.#onClose();
  }

  /** The promise, where there is one, settles when the client has taken enough, or has left. */
  write(text: string): undefined | Promise<void> {
    if (this.#state !== "open" || text === "") return undefined;
    this.#pending += text;
    if (this.#drained === null) {
      if (this.#pending.length >= flushChars) this.#flush();
      else this.#flushTimer ??= setImmediate(() => this.#flush());
    }
    return this.#drained?.promise;
  }

  /** As `write`, for whole events that are in memory already: all clients are sent the same bytes. */
  writeBytes(bytes: Uint8Array): undefined | Promise<void> {
    if (this.#state !== "open") return undefined;
    this.#flush();
    this.#send(bytes);
    return this.#drained?.promise;
  }

  /** Writes the rest and ends the answer. Settles when the client has all of it, or has left, or was disconnected. */
  async end(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#stopTimers();
    const text = this.#pending;
    this.#pending = "";
    await endLiveAnswer(this.#response, text);
  }

  #flush(): void {
    this.#clearFlush();
    if (this.#state !== "open" || this.#pending === "" || this.#drained !== null) return;
    const text = this.#pending;
    this.#pending = "";
    this.#send(text);
  }

  #send(data: string | Uint8Array): void {
    this.#lastByteAtMs = performance.now();
    if (!this.#response.write(data)) this.#drained ??= createDeferred();
  }

  readonly #onDrain = (): void => {
    this.#drained?.resolve();
    this.#drained = null;
    this.#flush();
  };

  readonly #onClose = (): void => {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#pending = "";
    this.#stopTimers();
    this.#drained?.resolve();
    this.#drained = null;
  };

  /** One timer a stream. It checks again when the present silence would be too long, so that a write need not touch it. */
  readonly #breakSilence = (): void => {
    const leftMs = this.#silenceMs - (performance.now() - this.#lastByteAtMs);
    // A full socket is not silent, it is slow: more would only pile up.
    if (leftMs <= 0 && this.#drained === null) void this.write(": keep-alive\n\n");
    this.#keepAlive = setTimeout(this.#breakSilence, leftMs > 0 ? Math.ceil(leftMs) : this.#silenceMs);
  };

  #stopTimers(): void {
    clearTimeout(this.#keepAlive);
    this.#clearFlush();
  }

  #clearFlush(): void {
    clearImmediate(this.#flushTimer);
    this.#flushTimer = undefined;
  }
}

/** An answer that becomes a stream with the first output of the model, or is answered with the status of its error. */
export class AnswerStream {
  readonly #reply: FastifyReply;
  readonly #answer: SentAnswer;
  readonly #head: HeldHead;
  #writer: SseWriter | null = null;

  constructor(reply: FastifyReply, context: RouteContext, answer: SentAnswer) {
    this.#reply = reply;
    this.#answer = answer;
    this.#head = new HeldHead(answer, context.streamHeadHoldMs, (events) => {
      if (this.#writer !== null) return this.#writer.write(answer.encode(events));
      this.#writer = new SseWriter(reply, context);
      // Node sends a head with the first byte of the body, which may come much later.
      if (events.length === 0) reply.raw.flushHeaders();
      return this.#writer.write(answer.encode(events));
    });
  }

  /** Whether the head is sent, so that an error can only be an event of the stream. */
  get isOpen(): boolean {
    return this.#head.isOpen;
  }

  /** Takes events in order. The promise, where there is one, settles when the client has taken enough. */
  readonly sink = (events: readonly unknown[]): void | Promise<void> => this.#head.push(events);

  readonly noteAdmission = (isAdmitted: boolean): void => this.#head.noteAdmission(isAdmitted);

  /** Ends the answer after its turn. Throws the turn's error where the head was not sent: the error is the answer then. */
  async settle(end: ExchangeEnd, callerLeft: boolean): Promise<void> {
    this.#head.stop();
    if (!this.isOpen) {
      // There is no one to answer; fastify must not try.
      if (callerLeft) {
        this.#reply.hijack();
        return;
      }
      if (!end.ok) throw end.error;
      void this.#head.open();
    }
    void this.#writer?.write(this.#answer.endOfStream(end.ok));
    await this.#writer?.end();
  }
}

/** Which events a caller follows, from where on. */
export interface LogReading {
  readonly log: ResponseEventLog;
  readonly errors: ErrorShape;
  readonly firstNumber: number;
  /** Left out where the event log ends in all cases that would abort it. */
  readonly signal?: AbortSignal;
}

/**
 * Sends the events of an event log as fast as this caller reads them, up to the log's end, or to an `error` event: where the caller was
 * too slow for the events that are kept, the response was deleted, or the service interrupts. Resolves with that error, or null.
 */
export async function followLog(
  { log, errors, firstNumber, signal }: LogReading,
  writer: SseWriter,
  caller: WaitingCaller,
): Promise<CodexNativeApiError | null> {
  let nextNumber = firstNumber;
  try {
    for await (const events of log.readFrom(firstNumber, signal)) {
      nextNumber = events.nextNumber;
      const held = writer.writeBytes(events.bytes);
      if (held !== undefined) await held;
      if (caller.hasLeft) break;
    }
    return null;
  } catch (error) {
    if (caller.hasLeft) return null;
    const fault = toApiError(error);
    void writer.write(errors.encodeLast(fault, nextNumber));
    return fault;
  }
}
