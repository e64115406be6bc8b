import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { Agent, buildConnector, type Dispatcher, WebSocket } from "undici";
import { createDeferred, settlesWithin, waitWithin } from "../contract/wait.js";
import { describeSystemError, TransportError } from "./errors.js";
import {
  type OutgoingMessage,
  StreamTransport,
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
  readonly maxBacklogBytes: number;
  readonly closeTimeoutMs: number;
}

/** undici masks what it sends byte by byte, which for a longer message takes longer than all else. */
const maskedBytes = 64 * 1024;

/** One JSON-RPC message a WebSocket text frame, over a unix socket or loopback TCP. */
export class WebSocketTransport extends StreamTransport {
  readonly stderrTail = "";
  readonly #options: WebSocketTransportOptions;
  /** Settles at the WebSocket's own `close`, after which nothing of it is left. */
  readonly #socketDone = createDeferred<void>();
  #agent: Agent | null = null;
  #webSocket: WebSocket | null = null;
  protected stream: Socket | null = null;
  #failure: Error | null = null;

  constructor(options: WebSocketTransportOptions) {
    super(options);
    this.#options = options;
  }

  async start(
    callbacks: TransportCallbacks,
    { openTimeoutMs, signal }: TransportStartOptions,
  ): Promise<void> {
    if (this.state !== "new") throw new TransportError("a transport starts once");
    this.state = "opening";
    const opened = createDeferred<void>();
    try {
      this.#dial(opened.resolve, openTimeoutMs);
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
      this.openWire(callbacks);
    } catch (error) {
      await this.release(false);
      throw error;
    }
  }

  protected write(socket: Writable, message: OutgoingMessage, bytes: number): void {
    if (typeof message === "string" && bytes <= maskedBytes) return this.#webSocket?.send(message);
    const parts = typeof message === "string" ? [Buffer.from(message)] : message;
    // All at once, so that no other message of ours comes between the fragments of this one.
    socket.cork();
    for (const chunk of encodeTextFragments(parts, this.#options.maxFrameBytes)) socket.write(chunk);
    socket.uncork();
  }

  protected async release(gently: boolean): Promise<void> {
    if (gently && this.#webSocket !== null) {
      this.#webSocket.close(1000);
      await settlesWithin(this.#socketDone.promise, this.#options.closeTimeoutMs);
    }
    this.state = "closed";
    this.stream?.destroy();
    await this.#agent?.destroy();
  }

  #dial(onOpen: () => void, openTimeoutMs: number): void {
    const { target, maxReceivedBytes } = this.#options;
    const connect = buildConnector({
      timeout: openTimeoutMs,
      ...("socketPath" in target ? { socketPath: target.socketPath } : {}),
    });
    this.#agent = new Agent({
      // Keeps the socket as it passes: WebSocket has neither a `drain` event nor a way to cut the wire at once.
      connect: (options, callback) =>
        connect(options, (...outcome) => {
          if (outcome[0] !== null) this.#failure = outcome[0];
          else this.stream = outcome[1];
          callback(...outcome);
        }),
      webSocket: { maxPayloadSize: maxReceivedBytes },
    });
    const url = "url" in target ? target.url : "ws://localhost/";
    const webSocket = new WebSocket(url, { dispatcher: this.#agent.compose(offerNoExtensions) });
    this.#webSocket = webSocket;
    webSocket.binaryType = "arraybuffer";
    webSocket.addEventListener("open", () => onOpen());
    webSocket.addEventListener("message", ({ data }) => {
      const bytes = data instanceof ArrayBuffer ? Buffer.from(data) : "";
      this.takeMessage(typeof data === "string" ? data : bytes.toString());
    });
    webSocket.addEventListener("error", ({ error }) => {
      if (error instanceof Error) this.#failure ??= error;
    });
    webSocket.addEventListener("close", ({ code, reason }) => {
      const why = reason === "" ? `code ${code}` : `code ${code}: ${reason}`;
      this.endWire(new TransportError(`the app-server's socket closed (${why})`, { cause: this.#failure }));
      this.#socketDone.resolve();
      void this.destroy(new TransportError("closed"));
    });
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
