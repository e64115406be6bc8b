/** A linked pair in memory: a `Transport` for the client, and the other end for the test to speak from. */

import type { Transport, TransportCallbacks } from "../../src/workers/app-server/transport.js";
import { newestTestedCodex } from "../../src/workers/contract/codex-capabilities.js";

export interface ReceivedMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

type Received = (message: ReceivedMessage, peer: MemoryPeer) => void;

/** The app-server's end. */
export class MemoryPeer {
  readonly received: ReceivedMessage[] = [];
  readonly transport: Transport;
  /** Answers on its own; what it is not given is only recorded. */
  onReceived: Received;
  startFailure: Error | null = null;
  sendFailure: Error | null = null;
  closedWith: Error | null | undefined;
  #callbacks: TransportCallbacks | null = null;
  #waiters: {
    readonly wanted: (message: ReceivedMessage) => boolean;
    readonly resolve: (m: ReceivedMessage) => void;
  }[] = [];

  constructor(onReceived: Received = () => {}) {
    this.onReceived = onReceived;
    this.transport = this.#createTransport();
  }

  get isOpen(): boolean {
    return this.#callbacks !== null;
  }

  sendText(text: string): void {
    this.#callbacks?.onMessage(text);
  }

  send(message: unknown): void {
    this.sendText(JSON.stringify(message));
  }

  /** The peer is gone: null for a wire that ended on our own wish. */
  hangUp(error: Error | null): void {
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    if (callbacks === null) return;
    this.closedWith = error;
    callbacks.onClose(error);
  }

  /** The next message of that method, or one that came already and was not taken. */
  async take(method: string): Promise<ReceivedMessage> {
    return this.takeWhere((message) => message.method === method);
  }

  async takeWhere(wanted: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage> {
    const index = this.received.findIndex(wanted);
    const [found] = index === -1 ? [] : this.received.splice(index, 1);
    if (found !== undefined) return found;
    return new Promise((resolve) => this.#waiters.push({ wanted, resolve }));
  }

  #receive(text: string): void {
    const message: ReceivedMessage = JSON.parse(text);
    const index = this.#waiters.findIndex(({ wanted }) => wanted(message));
    const [waiter] = index === -1 ? [] : this.#waiters.splice(index, 1);
    if (waiter === undefined) this.received.push(message);
    else waiter.resolve(message);
    this.onReceived(message, this);
  }

  #createTransport(): Transport {
    return {
      stderrTail: "last words",
      start: async (callbacks) => {
        if (this.startFailure !== null) throw this.startFailure;
        this.#callbacks = callbacks;
      },
      send: async (text) => {
        if (this.sendFailure !== null) throw this.sendFailure;
        if (this.#callbacks === null) throw new Error("closed");
        // Not in the caller's own stack: no real wire answers before `send` returned.
        const whole = typeof text === "string" ? text : Buffer.concat(text).toString();
        queueMicrotask(() => this.#receive(whole));
      },
      close: async () => this.hangUp(null),
      destroy: async (error) => this.hangUp(error),
    };
  }
}

/** Answers the handshake and the probe, as any app-server does. */
export function answerHandshake(message: ReceivedMessage, peer: MemoryPeer): void {
  if (message.method === "initialize") {
    peer.send({ id: message.id, result: { userAgent: `test/${newestTestedCodex} (Memory; none)` } });
  }
  if (message.method === "thread/loaded/list")
    peer.send({ id: message.id, result: { data: [], nextCursor: null } });
}
