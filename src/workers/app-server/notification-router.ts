import { isJsonObject, type JsonObject } from "../contract/json.js";
import { accountNotificationSchemas, serverNoticeSchemas } from "./account-methods.js";
import { type ConnectionLostError, TooManyThreadsError, WrongStateError } from "./errors.js";
import type { ThreadNotification, ToolCall, ToolCallAnswer } from "./protocol.js";
import { threadNotificationSchemas } from "./thread-methods.js";

/** Receives what concerns one thread. */
export interface ThreadListener {
  onNotification(notification: ThreadNotification): void;
  /** May take as long as the caller needs; the turn is parked meanwhile. A rejection answers `success: false`. */
  onToolCall(call: ToolCall): Promise<ToolCallAnswer>;
  /** Called once, and the listener is removed: a thread's events do not outlive their connection. */
  onConnectionLost(error: ConnectionLostError): void;
}

export interface NotificationRouterOptions {
  readonly maxThreadListeners: number;
  readonly countFault: (name: string) => void;
  /** Receives a notification that concerns no thread. */
  readonly onNotice: (method: string, notice: ServerNotice) => void;
  readonly pacing?: ReadPacing;
}

/** Passes each notification to its thread's listener, or to `onNotice` when it names no thread. */
export class NotificationRouter {
  readonly #options: NotificationRouterOptions;
  readonly #listeners = new Map<string, ThreadListener>();
  readonly #pacing: ReadPacing;

  constructor(options: NotificationRouterOptions) {
    this.#options = options;
    this.#pacing = options.pacing ?? new ReadPacing();
  }

  get size(): number {
    return this.#listeners.size;
  }

  subscribe(threadId: string, listener: ThreadListener): () => void {
    const { maxThreadListeners } = this.#options;
    if (this.#listeners.has(threadId)) throw new WrongStateError("the thread has a listener already");
    if (this.#listeners.size >= maxThreadListeners) {
      throw new TooManyThreadsError(`${maxThreadListeners} threads have a listener already`);
    }
    this.#listeners.set(threadId, listener);
    return () => {
      if (this.#listeners.get(threadId) === listener) this.#listeners.delete(threadId);
    };
  }

  readonly route = (method: string, params: unknown): void => {
    const threadId = isJsonObject(params) ? params.threadId : undefined;
    if (typeof threadId !== "string") {
      const notice = readServerNotice(method, params);
      if (notice === "malformed") this.#options.countFault(`malformed:${method}`);
      else if (notice !== null) this.#options.onNotice(method, notice);
      return;
    }
    // Without a listener (the echo after an unsubscribe) it is dropped unread.
    const listener = this.#listeners.get(threadId);
    if (listener === undefined) return;
    const notification = readThreadNotification(method, params);
    if (notification === "malformed") this.#options.countFault(`malformed:${method}`);
    else if (notification !== null) listener.onNotification(notification);
    if (method === "item/agentMessage/delta") this.#pacing.noteDelta(this.#listeners.size);
  };

  callTool(threadId: string, call: ToolCall): Promise<ToolCallAnswer> | null {
    return this.#listeners.get(threadId)?.onToolCall(call) ?? null;
  }

  /** Reports the loss to every listener and removes them all. */
  drop(error: ConnectionLostError): void {
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) {
      try {
        listener.onConnectionLost(error);
      } catch {
        // The other listeners must learn of the loss too.
        this.#options.countFault("connection_lost_handler_threw");
      }
    }
  }
}

/**
 * Reads a thread's notification; null for a method that we do not read. Deltas come by the thousand per second, and need no check of
 * their own: zod's compiled check costs each 0.03 µs, parsing its JSON 1 µs.
 */
export function readThreadNotification(
  method: string,
  params: unknown,
): ThreadNotification | "malformed" | null {
  if (!hasKey(threadNotificationSchemas, method)) return null;
  const parsed = threadNotificationSchemas[method].safeParse(params);
  if (!parsed.success) return "malformed";
  // The schema was looked up by this very method; TypeScript cannot pair the two in a union.
  return { method, params: parsed.data } as ThreadNotification;
}

export interface ServerNotice {
  readonly about: "account" | "server";
  readonly params: JsonObject;
}

const noticeSchemas = { ...accountNotificationSchemas, ...serverNoticeSchemas };

/** Reads a notification that concerns no thread; null for a method that we do not read. */
export function readServerNotice(method: string, params: unknown): ServerNotice | "malformed" | null {
  if (!hasKey(noticeSchemas, method)) return null;
  const parsed = noticeSchemas[method].safeParse(params);
  if (!parsed.success) return "malformed";
  return { about: hasKey(accountNotificationSchemas, method) ? "account" : "server", params: parsed.data };
}

function hasKey<Table extends object>(table: Table, key: PropertyKey): key is keyof Table {
  return Object.hasOwn(table, key);
}

/** The number of turns from which the thread naps. With fewer, a nap costs more in latency than it saves. */
const manyTurns = 32;
/** In milliseconds. Deltas wait in the socket meanwhile: with 256 streams about 25 come, and there is room for hundreds. */
const napMs = 4;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread: Node goes on reading a socket, even a paused one. */
function sleep(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}

/**
 * Lets the thread nap after it has handed on the deltas it read, so that it then reads many at once. With many streams each delta
 * would otherwise wake this thread and the main one, a quarter of what a delta costs. Nothing that was read waits for the nap.
 */
export class ReadPacing {
  readonly #sleep: (ms: number) => void;
  #due = false;

  constructor(sleepFor: (ms: number) => void = sleep) {
    this.#sleep = sleepFor;
  }

  /** Call it after each delta, with the number of turns under way. */
  noteDelta(turns: number): void {
    if (turns < manyTurns || this.#due) return;
    this.#due = true;
    // After the immediate that sends the delta on, which was queued before this one.
    setImmediate(() => {
      this.#due = false;
      this.#sleep(napMs);
    });
  }
}
