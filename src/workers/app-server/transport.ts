/** A message's text, or its bytes in parts. */
export type OutgoingMessage = string | readonly Uint8Array[];

export function measureMessage(message: OutgoingMessage): number {
  if (typeof message === "string") return Buffer.byteLength(message);
  return message.reduce((sum, part) => sum + part.length, 0);
}

export interface TransportCallbacks {
  /** One whole message, never after `onClose`. */
  onMessage(text: string): void;
  /** Once, after a start that succeeded: null when closed on purpose, else why the wire broke. */
  onClose(error: Error | null): void;
}

export interface TransportStartOptions {
  readonly openTimeoutMs: number;
  /** Aborting gives the opening up; it has no say once the wire is open. */
  readonly signal?: AbortSignal;
}

/** A wire that carries whole text messages. It knows nothing of what they say. */
export interface Transport {
  /** Opens the wire; may be called once. Rejects with a `TransportError`, and then nothing is left behind. */
  start(callbacks: TransportCallbacks, options: TransportStartOptions): Promise<void>;
  /** Resolves when the wire can take more; rejects when it closes first, or the message is over the bound. */
  send(message: OutgoingMessage): Promise<void>;
  /** Ends the wire in order, within a deadline of its own. Repeated calls join the first. */
  close(): Promise<void>;
  /** Ends the wire now: `onClose(error)` is called before this returns. Resolves when all is released. */
  destroy(error: Error): Promise<void>;
  /** The last words of the process on the other end, where the wire has one. */
  readonly stderrTail: string;
}
