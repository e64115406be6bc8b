import { isJsonObject } from "../contract/json.js";
import { type ConnectionLostError, TooManyThreadsError, WrongStateError } from "./errors.js";
import type { ThreadNotification, ToolCall, ToolCallAnswer } from "./protocol.js";
import { ReadPacing } from "./read-pacing.js";
import { readThreadNotification } from "./read-thread-notification.js";

/** What one thread's owner hears. */
export interface ThreadListener {
  onNotification(notification: ThreadNotification): void;
  /** May take as long as the caller needs; the turn is parked meanwhile. A rejection answers `success: false`. */
  onToolCall(call: ToolCall): Promise<ToolCallAnswer>;
  /** Once, and the listener is forgotten: a thread's events do not outlive their connection. */
  onConnectionLost(error: ConnectionLostError): void;
}

/** Brings what concerns one thread to the one who listens to it. */
export class ThreadRouter {
  readonly #listeners = new Map<string, ThreadListener>();
  readonly #maxListeners: number;
  readonly #countFault: (name: string) => void;
  readonly #pacing: ReadPacing;

  constructor(maxListeners: number, countFault: (name: string) => void, pacing = new ReadPacing()) {
    this.#maxListeners = maxListeners;
    this.#countFault = countFault;
    this.#pacing = pacing;
  }

  get size(): number {
    return this.#listeners.size;
  }

  subscribe(threadId: string, listener: ThreadListener): () => void {
    if (this.#listeners.has(threadId)) throw new WrongStateError("the thread has a listener already");
    if (this.#listeners.size >= this.#maxListeners) {
      throw new TooManyThreadsError(`${this.#maxListeners} threads have a listener already`);
    }
    this.#listeners.set(threadId, listener);
    return () => {
      if (this.#listeners.get(threadId) === listener) this.#listeners.delete(threadId);
    };
  }

  /** False when it belongs to no thread. What nobody listens to (the echo after an unsubscribe) is dropped unread. */
  route(method: string, params: unknown): boolean {
    if (!isJsonObject(params)) return false;
    const { threadId } = params;
    if (typeof threadId !== "string") return false;
    const listener = this.#listeners.get(threadId);
    if (listener === undefined) return true;
    const notification = readThreadNotification(method, params);
    if (notification === "malformed") this.#countFault(`malformed:${method}`);
    else if (notification !== null) listener.onNotification(notification);
    if (method === "item/agentMessage/delta") this.#pacing.noteDelta(this.#listeners.size);
    return true;
  }

  callTool(threadId: string, call: ToolCall): Promise<ToolCallAnswer> | null {
    return this.#listeners.get(threadId)?.onToolCall(call) ?? null;
  }

  /** Tells every listener and forgets them all. */
  drop(error: ConnectionLostError): void {
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) {
      try {
        listener.onConnectionLost(error);
      } catch {
        // The others must hear it whatever one of them does.
        this.#countFault("connection_lost_handler_threw");
      }
    }
  }
}
