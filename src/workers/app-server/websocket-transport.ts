import type { Socket } from "node:net";
import { Agent, buildConnector, type Dispatcher, WebSocket } from "undici";
import { createDeferred, settlesWithin, waitWithin } from "../contract/wait.js";
import { describeSystemError } from "./describe-failure.js";
import { MessageTooLargeError, TransportError, unread } from "./errors.js";
import {
  measureMessage,
  type OutgoingMessage,
  type Transport,
  type TransportCallbacks,
  type TransportStartOptions,
} from "./transport.js";

export interface WebSocketTransportOptions {
  readonly target: { readonly socketPath: string } | { readonly url: string };
  /** Largest message taken. */
  readonly maxReceivedBytes: number;
  /** Largest message sent. */
  readonly maxSentBytes: number;
  /** Messages over this go out in several frames. */
  readonly maxFrameBytes: number;
  /** What may wait for the peer to read it before no more is taken. */
  readonly maxBacklogBytes: number;
  readonly closeTimeoutMs: number;
}

/** undici masks what it sends byte by byte, which for a longer message takes longer than all else. */
const maskedBytes = 64 * 1024;

type State = "new" | "opening" | "open" | "closing" | "closed";

/** One JSON-RPC message a WebSocket text frame, over a unix socket or loopback TCP. */
export class WebSocketTransport implements Transport {
  readonly stderrTail = "";
  readonly #options: WebSocketTransportOptions;
  /** Settles when nobody hears from this wire any more. */
  readonly #wireDone = createDeferred<void>();
  /** Settles at the WebSocket's own `close`, after which nothing of it is left. */
  readonly #socketDone = createDeferred<void>();
  #state: State = "new";
  #callbacks: TransportCallbacks | null = null;
  #agent: Agent | null = null;
  #webSocket: WebSocket | null = null;
  #socket: Socket | null = null;
  #drained: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
  }

  async start(
    callbacks: TransportCallbacks,
    { openTimeoutMs, signal }: TransportStartOptions,
  ): Promise<void> {
    if (this.#state !== "new") throw new TransportError("a transport starts once");
    this.#state = "opening";
    const opened = createDeferred<void>();
    try {
      this.#dial(() => opened.resolve(), openTimeoutMs);
      const lost = this.#socketDone.promise.then(() => {
        throw new TransportError(`cannot reach the app-server (${describeSystemError(this.#failure)})`, {
          cause: this.#failure,
        });
      });
      const limits = { timeoutMs: openTimeoutMs, signal };
      await waitWithin(Promise.race([opened.promise, lost]), limits, (end) => {
        throw end === "timeout"
          ? new TransportError(`the app-server's socket did not open within ${openTimeoutMs} ms`)
          : new TransportError("the opening was given up", { cause: signal?.reason });
      });
      this.#callbacks = callbacks;
      this.#state = "open";
    } catch (error) {
      this.#state = "closed";
      await this.#release();
      throw error;
    }
  }

  async send(message: OutgoingMessage): Promise<void> {
    const socket = this.#socket;
    if (this.#state !== "open" || socket === null) throw new TransportError("the wire is closed");
    const { maxSentBytes, maxFrameBytes, maxBacklogBytes } = this.#options;
    if (socket.writableLength > maxBacklogBytes) throw new TransportError(unread);
    const bytes = measureMessage(message);
    if (bytes > maxSentBytes)
      throw new MessageTooLargeError(`a message is larger than ${maxSentBytes} bytes`);
    if (typeof message === "string" && bytes <= maskedBytes) this.#webSocket?.send(message);
    else
      this.#sendInFragments(
        socket,
        typeof message === "string" ? [Buffer.from(message)] : message,
        maxFrameBytes,
      );
    if (!socket.writableNeedDrain) return;
    this.#drained ??= new Promise<void>((resolve) => socket.once("drain", resolve)).then(() => {
      this.#drained = null;
    });
    await Promise.race([this.#drained, this.#wireDone.promise]);
    if (this.#state !== "open") throw new TransportError("the wire closed before the message was taken");
  }

  close(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  destroy(error: Error): Promise<void> {
    this.#endWire(error);
    this.#stopped ??= this.#release();
    return this.#stopped;
  }

  #dial(onOpen: () => void, openTimeoutMs: number): void {
    const { target, maxReceivedBytes } = this.#options;
    const connect = buildConnector({
      timeout: openTimeoutMs,
      ...("socketPath" in target ? { socketPath: target.socketPath } : {}),
    });
    this.#agent = new Agent({
      // The socket is caught on its way: WebSocket has neither a `drain` event nor a way to cut the wire at once.
      connect: (options, callback) =>
        connect(options, (...outcome) => {
          if (outcome[0] !== null) this.#failure = outcome[0];
          else this.#socket = outcome[1];
          callback(...outcome);
        }),
      webSocket: { maxPayloadSize: maxReceivedBytes },
    });
    const url = "url" in target ? target.url : "ws://localhost/";
    const webSocket = new WebSocket(url, { dispatcher: this.#agent.compose(offerNoExtensions) });
    this.#webSocket = webSocket;
    webSocket.binaryType = "arraybuffer";
    webSocket.addEventListener("open", onOpen);
    webSocket.addEventListener("message", ({ data }) => this.#take(data));
    webSocket.addEventListener("error", ({ error }) => {
      if (error instanceof Error) this.#failure ??= error;
    });
    webSocket.addEventListener("close", ({ code, reason }) => {
      const why = reason === "" ? `code ${code}` : `code ${code}: ${reason}`;
      this.#endWire(new TransportError(`the app-server's socket closed (${why})`, { cause: this.#failure }));
      this.#socketDone.resolve();
      void this.destroy(new TransportError("closed"));
    });
  }

  /** In one go, so that no other message of ours comes between the fragments of this one. */
  #sendInFragments(socket: Socket, parts: readonly Uint8Array[], maxFrameBytes: number): void {
    socket.cork();
    for (const chunk of encodeTextFragments(parts, maxFrameBytes)) socket.write(chunk);
    socket.uncork();
  }

  #take(data: unknown): void {
    if (this.#state !== "open") return;
    const text =
      typeof data === "string" ? data : data instanceof ArrayBuffer ? Buffer.from(data).toString() : "";
    this.#callbacks?.onMessage(text);
  }

  /** Nothing is reported after this. */
  #endWire(error: Error | null): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#wireDone.resolve();
    this.#callbacks?.onClose(error);
  }

  async #stop(): Promise<void> {
    this.#endWire(null);
    this.#webSocket?.close(1000);
    if (this.#webSocket !== null) await settlesWithin(this.#socketDone.promise, this.#options.closeTimeoutMs);
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#state = "closed";
    this.#socket?.destroy();
    await this.#agent?.destroy();
  }
}

/**
 * undici always offers compression. Older app-servers (0.130 and 0.150 seen; 0.169 not) hang up on a handshake that
 * offers anything, and on one machine compression would only cost time.
 */
const offerNoExtensions: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const headers = Object.entries(options.headers ?? {}).filter(
    ([name]) => !/^sec-websocket-extensions$/i.test(name),
  );
  return dispatch({ ...options, headers: Object.fromEntries(headers) }, handler);
};

const opcodeText = 1;
const opcodeContinuation = 0;
const finalFlag = 0x80;
const maskedFlag = 0x80;
const length64 = 127;

/**
 * A text message cut into client frames, as chunks to write in order. undici sends each message as one frame, and the
 * app-server drops the whole connection, with every turn on it, at a frame over 16 MiB.
 *
 * The mask is zero, which leaves the payload as it is: masks protect proxies on the open web from hostile scripts, and
 * here is neither.
 */
export function* encodeTextFragments(
  parts: readonly Uint8Array[],
  maxFrameBytes: number,
): Generator<Uint8Array> {
  const totalBytes = parts.reduce((sum, part) => sum + part.length, 0);
  let sentBytes = 0;
  let leftInFrame = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      if (leftInFrame === 0) {
        leftInFrame = Math.min(maxFrameBytes, totalBytes - sentBytes);
        yield encodeHeader(leftInFrame, sentBytes === 0, sentBytes + leftInFrame === totalBytes);
      }
      const piece = part.subarray(from, from + leftInFrame);
      yield piece;
      from += piece.length;
      sentBytes += piece.length;
      leftInFrame -= piece.length;
    }
  }
}

/** Two bytes, eight of length, four of mask; the long form of the length is right for any size that gets here. */
function encodeHeader(bytes: number, isFirst: boolean, isLast: boolean): Buffer {
  const header = Buffer.alloc(14);
  header[0] = (isLast ? finalFlag : 0) | (isFirst ? opcodeText : opcodeContinuation);
  header[1] = maskedFlag | length64;
  header.writeBigUInt64BE(BigInt(bytes), 2);
  return header;
}
