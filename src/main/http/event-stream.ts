/** Answers as streams of server-sent events: the stream itself, one that waits for output before it begins, and one read from a log. */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type { Answer, ErrorShape } from "../dialects/dialect.js";
import type { CodexNativeApiError } from "../errors.js";
import type { ExchangeEnd } from "../exchange/exchange.js";
import { toApiError } from "./error-reply.js";
import type { TurnExchange } from "./in-flight.js";
import { defaultListenerLimits, type ListenerLimits, type RouteContext } from "./server-options.js";

export interface SseWriterOptions {
  /** Headers of the answer beside those that make it a stream. */
  readonly headers: Readonly<Record<string, number | string | string[] | undefined>>;
  /** A client hears something at the latest this long after the last byte. */
  readonly keepAliveCommentMs: number;
}

/** So much of the time between signs of life is waited in silence: the rest is for a busy event loop, and for the way. */
export const silentShare = 0.9;

/** The head of an answer whose body comes bit by bit. */
export function writeLiveHead(
  response: ServerResponse,
  headers: SseWriterOptions["headers"],
  contentType: string,
): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  // For proxies that would collect the answer before they pass it on.
  response.writeHead(200, { "content-type": contentType, "x-accel-buffering": "no" });
}

/**
 * For an answer that has begun: cuts off a client that takes nothing of it, which would else keep it in memory, and its turn open,
 * for as long as it likes. The socket counts every byte taken, and a stream with nothing to say sends comments.
 */
export function cutStalledReader(response: ServerResponse, limits: Partial<ListenerLimits>): void {
  const timeoutMs = limits.stalledReaderTimeoutMs ?? defaultListenerLimits.stalledReaderTimeoutMs;
  response.setTimeout(timeoutMs, () => response.destroy());
}

/** Text kept back for one write, in characters; more is written at once. */
const flushChars = 32 * 1024;

/**
 * One stream of server-sent events. What is written in one round of the event loop goes to the socket as one piece, and a
 * full socket is told by a promise, so that a slow client slows its own turn and nothing piles up.
 */
export class SseWriter {
  readonly #response: ServerResponse;
  readonly #silenceMs: number;
  #keepAlive: NodeJS.Timeout;
  #pending = "";
  #flushTimer: NodeJS.Immediate | null = null;
  #full: { readonly drained: Promise<void>; readonly resolve: () => void } | null = null;
  #state: "open" | "ending" | "closed" = "open";
  #lastByteAtMs = performance.now();

  /** Sends the headers. */
  constructor(response: ServerResponse, options: SseWriterOptions) {
    this.#response = response;
    this.#silenceMs = options.keepAliveCommentMs * silentShare;
    this.#keepAlive = setTimeout(this.#breakSilence, this.#silenceMs);
    response.on("drain", this.#onDrain);
    response.once("close", this.#onClose);
    // A write that meets a socket just gone is told as an error too; `close` follows and says all there is to say.
    response.on("error", this.#onClose);
    if (response.destroyed) {
      this.#onClose();
      return;
    }
    writeLiveHead(response, options.headers, "text/event-stream; charset=utf-8");
  }

  /** The promise, where there is one, settles when the client has taken enough, or is gone. */
  write(text: string): undefined | Promise<void> {
    if (this.#state !== "open" || text === "") return undefined;
    this.#pending += text;
    if (this.#full === null) {
      if (this.#pending.length >= flushChars) this.#flush();
      else this.#flushTimer ??= setImmediate(() => this.#flush());
    }
    return this.#full?.drained;
  }

  /** The same for whole events that lie in memory already: they are sent from there, once for each of any number of clients. */
  writeBytes(bytes: Uint8Array): undefined | Promise<void> {
    if (this.#state !== "open") return undefined;
    this.#flush();
    this.#send(bytes);
    return this.#full?.drained;
  }

  /** Writes what is left and ends the answer. Settles when the client has it all, or is gone, or cut off. */
  async end(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#stopTimers();
    const closed = new Promise<void>((resolve) => this.#response.once("close", resolve));
    this.#response.end(this.#pending);
    this.#pending = "";
    await closed;
  }

  #flush(): void {
    this.#clearFlush();
    if (this.#state !== "open" || this.#pending === "" || this.#full !== null) return;
    const text = this.#pending;
    this.#pending = "";
    this.#send(text);
  }

  #send(data: string | Uint8Array): void {
    this.#lastByteAtMs = performance.now();
    if (this.#response.write(data) || this.#full !== null) return;
    let resolve = () => {};
    const drained = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#full = { drained, resolve };
  }

  readonly #onDrain = (): void => {
    this.#full?.resolve();
    this.#full = null;
    this.#flush();
  };

  readonly #onClose = (): void => {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#pending = "";
    this.#stopTimers();
    this.#full?.resolve();
    this.#full = null;
  };

  /** One timer a stream, which looks again when the silence that it found would be over: a write costs it nothing. */
  readonly #breakSilence = (): void => {
    const leftMs = this.#silenceMs - (performance.now() - this.#lastByteAtMs);
    // A full socket is not silent, it is slow: more would only pile up.
    if (leftMs <= 0 && this.#full === null) void this.write(": keep-alive\n\n");
    this.#keepAlive = setTimeout(this.#breakSilence, leftMs > 0 ? Math.ceil(leftMs) : this.#silenceMs);
  };

  #stopTimers(): void {
    clearTimeout(this.#keepAlive);
    this.#clearFlush();
  }

  #clearFlush(): void {
    if (this.#flushTimer !== null) clearImmediate(this.#flushTimer);
    this.#flushTimer = null;
  }
}

/** Takes the answer out of fastify's hands and begins a stream of events. Sends the headers. */
export function openSseWriter(reply: FastifyReply, { keepAliveCommentMs, limits }: RouteContext): SseWriter {
  reply.hijack();
  cutStalledReader(reply.raw, limits);
  return new SseWriter(reply.raw, { headers: reply.getHeaders(), keepAliveCommentMs });
}

/**
 * An answer that becomes a stream with the first output of the model. Until then its head is held back with the events before it:
 * a turn that fails so early is answered with the status of its error, which clients retry, as they never do after a 200.
 */
export class AnswerStream {
  readonly #reply: FastifyReply;
  readonly #context: RouteContext;
  readonly #answer: Answer;
  #held = "";
  #timer: NodeJS.Timeout | null = null;
  #writer: SseWriter | null = null;

  constructor(reply: FastifyReply, context: RouteContext, answer: Answer) {
    this.#reply = reply;
    this.#context = context;
    this.#answer = answer;
  }

  /** Whether the head is out, so that whatever happens must be told in the stream. */
  get isOpen(): boolean {
    return this.#writer !== null;
  }

  /** Takes events in order. The promise, where there is one, settles when the client has taken enough. */
  readonly sink = (events: readonly unknown[]): undefined | Promise<void> => {
    const text = this.#answer.encode(events);
    if (this.#writer !== null) return this.#writer.write(text);
    this.#held += text;
    return this.#isReason(events) ? this.#open() : undefined;
  };

  /** Once the turn has left the queue the head is not held for longer than `streamHeadHoldMs`; back in the queue it is held again. */
  readonly noteAdmission = (isAdmitted: boolean): void => {
    const { streamHeadHoldMs: holdMs } = this.#context;
    if (this.isOpen) return;
    if (!isAdmitted) this.#stopTimer();
    else if (holdMs === 0) void this.#open();
    else this.#timer ??= setTimeout(() => void this.#open(), holdMs);
  };

  /** Ends the answer after its turn. Throws the turn's error where its head was never sent: it is the answer. */
  async settle(end: ExchangeEnd, clientLeft: boolean): Promise<void> {
    this.#stopTimer();
    if (this.#writer === null && !end.ok && !clientLeft) throw end.error;
    // A client that has left gets no head; the answer is still taken out of fastify's hands.
    if (this.#writer === null && clientLeft) {
      this.#reply.hijack();
      return;
    }
    if (this.#writer === null) void this.#open();
    if (end.ok) void this.#writer?.write(this.#answer.endOfStream);
    await this.#writer?.end();
  }

  #isReason(events: readonly unknown[]): boolean {
    const kinds = events.map((event) => this.#answer.kindOf(event));
    return !kinds.includes("failure") && kinds.includes("output");
  }

  #open(): undefined | Promise<void> {
    this.#stopTimer();
    const text = this.#held;
    this.#held = "";
    this.#writer = openSseWriter(this.#reply, this.#context);
    // Node sends a head with the first byte of the body; there may be none for long.
    if (text === "") this.#reply.raw.flushHeaders();
    return this.#writer.write(text);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Where a client begins to read a response's events, and what ends its reading. */
export interface LogReading {
  readonly log: ResponseEventLog;
  readonly errors: ErrorShape;
  readonly firstNumber: number;
  /** None where whatever aborts it ends the log as well. */
  readonly signal?: AbortSignal;
}

/**
 * Sends events of a log as fast as this client takes them, up to the log's end, or to an `error` event: where the client was too slow
 * for what is kept, the response was deleted meanwhile, or the server can wait no longer. Resolves with that error, or null.
 */
export async function followLog(
  { log, errors, firstNumber, signal }: LogReading,
  writer: SseWriter,
  exchange: TurnExchange,
): Promise<CodexNativeApiError | null> {
  let nextNumber = firstNumber;
  try {
    for await (const events of log.readFrom(firstNumber, signal)) {
      nextNumber = events.nextNumber;
      const held = writer.writeBytes(events.bytes);
      if (held !== undefined) await held;
      if (exchange.clientLeft) break;
    }
    return null;
  } catch (error) {
    if (exchange.clientLeft) return null;
    const fault = toApiError(error);
    void writer.write(errors.encodeLast(fault, nextNumber));
    return fault;
  }
}
