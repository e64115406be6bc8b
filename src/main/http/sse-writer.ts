import type { ServerResponse } from "node:http";

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
