import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { createDeferred, type Deferred } from "../../../workers/contract/wait.js";

/** Most text that is collected for one write, in characters. */
const flushChars = 32 * 1024;

interface SocketWriterOptions {
  /** Longest time in which a client must have taken anything. */
  readonly stalledMs: () => number;
  /** The socket takes no more for now, or takes more again. */
  readonly onFull: (isFull: boolean) => void;
}

/**
 * Sends events over one WebSocket, a text frame each. All of one round of the event loop go to the system as one piece. While the
 * socket is full, writes return a promise, so that a slow client slows its own turns and nothing piles up. One that
 * takes nothing for `stalledMs` is cut off.
 */
export class SocketWriter {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #options: SocketWriterOptions;
  #pending: string[] = [];
  #pendingChars = 0;
  #flushSoon: NodeJS.Immediate | undefined;
  #drained: Deferred<void> | null = null;

  constructor(webSocket: WebSocket, socket: Socket, options: SocketWriterOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#options = options;
    socket.on("drain", this.#onDrain);
    socket.once("close", this.#onClose);
    socket.on("timeout", () => {
      if (this.#drained !== null) webSocket.terminate();
    });
  }

  /** Whether the client has yet to take what it was sent. */
  get isFull(): boolean {
    return this.#drained !== null;
  }

  /** The promise, where there is one, settles when the client has taken enough, or has left. */
  write(texts: readonly string[]): undefined | Promise<void> {
    if (!this.#isOpen || texts.length === 0) return this.#drained?.promise;
    for (const text of texts) {
      this.#pending.push(text);
      this.#pendingChars += text.length;
    }
    if (this.#pendingChars >= flushChars) this.#flush();
    else if (this.#drained === null) this.#flushSoon ??= setImmediate(this.#flush);
    return this.#drained?.promise;
  }

  /** Closes the WebSocket behind all that was written. */
  close(code: number, reason: string): void {
    this.#flush();
    // Frames behind this one are not sent. A client that reads nothing is cut off by its timeout.
    for (const text of this.#pending.splice(0)) this.#send(text);
    this.#webSocket.close(code, reason);
  }

  get #isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  readonly #flush = (): void => {
    clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    if (this.#drained !== null || this.#pending.length === 0) return;
    const texts = this.#pending;
    this.#pending = [];
    this.#pendingChars = 0;
    this.#socket.cork();
    for (const text of texts) this.#send(text);
    this.#socket.uncork();
    if (this.#socket.writableNeedDrain && this.#isOpen) this.#hold();
  };

  #send(text: string): void {
    // A write to a socket that has just closed fails; `close` follows, and nothing else is to be done.
    if (this.#isOpen) this.#webSocket.send(text, () => {});
  }

  #hold(): void {
    this.#drained = createDeferred();
    this.#options.onFull(true);
    this.#socket.setTimeout(this.#options.stalledMs());
  }

  readonly #onDrain = (): void => {
    if (this.#drained === null) return;
    this.#socket.setTimeout(0);
    this.#release();
    this.#options.onFull(false);
    this.#flush();
  };

  readonly #onClose = (): void => {
    clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    this.#pending = [];
    this.#release();
  };

  #release(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }
}
