import { isJsonObject } from "../contract/json.js";
import { type ConnectionLostError, TooManyThreadsError, WrongStateError } from "./errors.js";
import type { ThreadNotification, ThreadNotificationMethod, ToolCall, ToolCallAnswer } from "./protocol.js";
import { threadNotificationSchemas } from "./thread-notification-schemas.js";

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

/**
 * A thread's notification, or null when it is none that we read. Deltas come by the thousand per second; zod's compiled
 * check costs them 0.03 µs each beside 1 µs for parsing the JSON, so they need no check of their own.
 */
export function readThreadNotification(
  method: string,
  params: unknown,
): ThreadNotification | "malformed" | null {
  if (!isThreadNotificationMethod(method)) return null;
  const parsed = threadNotificationSchemas[method].safeParse(params);
  if (!parsed.success) return "malformed";
  // The schema was looked up by this very method; TypeScript cannot pair the two in a union.
  return { method, params: parsed.data } as ThreadNotification;
}

function isThreadNotificationMethod(method: string): method is ThreadNotificationMethod {
  return Object.hasOwn(threadNotificationSchemas, method);
}

/** From so many turns on. With fewer, a nap would cost more in latency than it saves. */
const manyTurns = 32;
/** In milliseconds. What comes meanwhile waits in the socket: some 25 deltas of 256 streams, where there is room for hundreds. */
const napMs = 4;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Stops the thread, since node reads a socket on as soon as it may, even a paused one. */
function sleep(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}

/**
 * Many streams at a model's pace would wake the thread, and behind it the supervisor's, for each single delta: a quarter of what
 * a delta costs. So the thread takes a nap once it has handed on what it read, and then reads what has come together. Nothing that
 * was read waits for it.
 */
export class ReadPacing {
  readonly #sleep: (ms: number) => void;
  #due = false;

  constructor(sleepFor: (ms: number) => void = sleep) {
    this.#sleep = sleepFor;
  }

  /** A delta was read, while so many turns are under way. */
  noteDelta(turns: number): void {
    if (turns < manyTurns || this.#due) return;
    this.#due = true;
    // After what sends the delta on, which is due in this same phase of the event loop.
    setImmediate(() => {
      this.#due = false;
      this.#sleep(napMs);
    });
  }
}
