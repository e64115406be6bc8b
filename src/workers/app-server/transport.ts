import type { Writable } from "node:stream";
import { createDeferred, type Deferred } from "../contract/wait.js";
import { MessageTooLargeError, TransportError, unread } from "./errors.js";

/** A message's text, or its bytes in parts. */
export type OutgoingMessage = string | readonly Uint8Array[];

export interface TransportCallbacks {
  /** One whole message, never after `onClose`. */
  onMessage(text: string): void;
  /** Once, after a start that succeeded: null when closed on purpose, else why the wire broke. */
  onClose(error: Error | null): void;
}

export interface TransportStartOptions {
  readonly openTimeoutMs: number;
  /** Aborting cancels the opening; it has no effect once the wire is open. */
  readonly signal?: AbortSignal;
}

/** A wire that carries whole text messages. It does not read them. */
export interface Transport {
  /** Opens the wire; may be called once. Rejects with a `TransportError`, and then nothing is left behind. */
  start(callbacks: TransportCallbacks, options: TransportStartOptions): Promise<void>;
  /** Resolves when the wire can take more; rejects when it closes first, or the message is over the bound. */
  send(message: OutgoingMessage): Promise<void>;
  /** Ends the wire in order, within a deadline of its own. Repeated calls join the first. */
  close(): Promise<void>;
  /** Ends the wire now: `onClose(error)` is called before this returns. Resolves when everything is released. */
  destroy(error: Error): Promise<void>;
  /** The end of what the app-server's process wrote to stderr, where the wire has such a process. */
  readonly stderrTail: string;
}

interface StreamBounds {
  /** Largest message sent, in bytes. */
  readonly maxSentBytes: number;
  /** Bytes that may wait for the peer to read them before `send` refuses more. */
  readonly maxBacklogBytes: number;
}

/** A transport over a stream: bounds what is sent, waits while the stream is full, and reports the end once. */
export abstract class StreamTransport implements Transport {
  abstract readonly stderrTail: string;
  /** `closing`: nothing is sent or reported any more, but what is below may still be on its way out. */
  protected state: "new" | "opening" | "open" | "closing" | "closed" = "new";
  /** What messages are written to, once there is one. */
  protected abstract readonly stream: Writable | null;
  readonly #bounds: StreamBounds;
  #callbacks: TransportCallbacks | null = null;
  /** One wait for room, however many sends share it. */
  #room: Deferred<void> | null = null;
  #ended: Promise<void> | null = null;

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds;
  }

  abstract start(callbacks: TransportCallbacks, options: TransportStartOptions): Promise<void>;

  async send(message: OutgoingMessage): Promise<void> {
    const { stream } = this;
    if (this.state !== "open" || stream === null) throw new TransportError("the wire is closed");
    const { maxSentBytes, maxBacklogBytes } = this.#bounds;
    if (stream.writableLength > maxBacklogBytes) throw new TransportError(unread);
    const bytes = measureMessage(message);
    if (bytes > maxSentBytes)
      throw new MessageTooLargeError(`a message is larger than ${maxSentBytes} bytes`);
    this.write(stream, message, bytes);
    if (!stream.writableNeedDrain) return;
    if (this.#room === null) {
      this.#room = createDeferred();
      stream.once("drain", this.#endWaitForRoom);
    }
    await this.#room.promise;
    // The wait also ends with the wire.
    if (this.isOver()) throw new TransportError("the wire closed before the message was taken");
  }

  close(): Promise<void> {
    this.endWire(null);
    this.#ended ??= this.release(true);
    return this.#ended;
  }

  destroy(error: Error): Promise<void> {
    this.endWire(error);
    this.#ended ??= this.release(false);
    return this.#ended;
  }

  protected abstract write(stream: Writable, message: OutgoingMessage, bytes: number): void;

  /** Lets go of everything below the wire; `gently` lets the other side finish first. Called once. */
  protected abstract release(gently: boolean): Promise<void>;

  protected openWire(callbacks: TransportCallbacks): void {
    this.#callbacks = callbacks;
    this.state = "open";
  }

  /** Null until `close` or `destroy` was called. */
  protected get ended(): Promise<void> | null {
    return this.#ended;
  }

  protected takeMessage(text: string): void {
    if (this.state === "open") this.#callbacks?.onMessage(text);
  }

  /** Nothing is reported after this. */
  protected endWire(error: Error | null): void {
    if (this.state !== "open") return;
    this.state = "closing";
    this.#endWaitForRoom();
    this.#callbacks?.onClose(error);
  }

  protected isOver(): boolean {
    return this.state === "closing" || this.state === "closed";
  }

  readonly #endWaitForRoom = (): void => {
    this.#room?.resolve();
    this.#room = null;
  };
}

function measureMessage(message: OutgoingMessage): number {
  if (typeof message === "string") return Buffer.byteLength(message);
  return message.reduce((sum, part) => sum + part.length, 0);
}
