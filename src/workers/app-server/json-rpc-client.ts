import {
  codexLevels,
  findTooDeep,
  isJsonObject,
  type JsonObject,
  mayHoldHalves,
  mendTexts,
} from "../contract/json.js";
import {
  ConnectionLostError,
  RpcError,
  TooDeepError,
  TransportError,
  UnserialisableError,
} from "./errors.js";
import { PackedList } from "./packed-list.js";
import { type CallOptions, PendingCalls } from "./pending-calls.js";
import type { OutgoingMessage, Transport, TransportStartOptions } from "./transport.js";

/** Zero and the empty string are ids as good as any. */
type RequestId = string | number;

export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The answer to a request of the peer. */
export type RequestReply = { readonly result: unknown } | { readonly error: JsonRpcErrorBody };

export interface JsonRpcClientOptions {
  readonly transport: Transport;
  readonly onNotification: (method: string, params: unknown) => void;
  /** When it throws or rejects, the answer is the error -32601: a peer without an answer would wait forever. */
  readonly onRequest: (method: string, params: unknown) => RequestReply | Promise<RequestReply>;
  /** Once, after all calls were rejected; null when closed on purpose. */
  readonly onClose: (error: ConnectionLostError | null) => void;
  readonly countFault: (name: string) => void;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  readonly maxGarbageInARow: number;
  readonly maxOpenRequests: number;
  /** Whether the peer has answered something that was asked at this time or later. Never rejects. Default: unknown. */
  readonly answersSince?: (time: number) => Promise<boolean>;
}

export const methodNotFound = -32601;
const overloaded = -32001;

/** JSON-RPC over a transport: ids, deadlines and answers, for any method. */
export class JsonRpcClient {
  readonly #options: JsonRpcClientOptions;
  readonly #transport: Transport;
  readonly #pending: PendingCalls;
  #state: "new" | "open" | "closed" = "new";
  #garbageInARow = 0;
  #openRequests = 0;
  #lastInboundAt: number;

  constructor(options: JsonRpcClientOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#lastInboundAt = options.now();
    this.#pending = new PendingCalls({
      now: options.now,
      answersSince: options.answersSince ?? (async () => false),
    });
  }

  /** When the last message of the peer came, on the injected clock. */
  get lastInboundAt(): number {
    return this.#lastInboundAt;
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  /** Calls without an answer for more than five seconds, while the peer answers others. */
  get hangingCalls(): number {
    return this.#pending.hanging;
  }

  async start(options: TransportStartOptions): Promise<void> {
    await this.#transport.start(
      { onMessage: (text) => this.#take(text), onClose: (error) => this.#end(error) },
      options,
    );
    // The wire may have opened and broken before this line ran.
    if (this.#state !== "new") throw this.#lost(null);
    this.#state = "open";
  }

  /**
   * @throws RpcError, ConnectionLostError, CallTimeoutError, CallAbortedError, TooManyCallsError, MessageTooLargeError,
   * UnserialisableError, TooDeepError
   */
  async call(method: string, params: unknown, options: CallOptions): Promise<unknown> {
    this.#checkOpen();
    const { id, answer } = this.#pending.open(method, options);
    let message: OutgoingMessage;
    try {
      message = encodeCall(id, method, params);
    } catch (cause) {
      const error = cause instanceof TooDeepError ? cause : new UnserialisableError(method, { cause });
      this.#pending.find(id)?.settle({ error });
      return answer;
    }
    this.#transport.send(message).catch((error: unknown) => {
      // After a close the call is settled already, with a better reason than this one.
      this.#pending.find(id)?.settle({ error: asError(error) });
    });
    return answer;
  }

  async notify(method: string, params: unknown): Promise<void> {
    this.#checkOpen();
    await this.#transport.send(encodeMessage({ method, params }));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  destroy(error: Error): Promise<void> {
    return this.#transport.destroy(error);
  }

  #checkOpen(): void {
    if (this.#state !== "open") throw this.#lost(null);
  }

  #lost(cause: Error | null): ConnectionLostError {
    const message = cause?.message ?? "the connection to the app-server is closed";
    return new ConnectionLostError(message, this.#transport.stderrTail, cause ? { cause } : undefined);
  }

  #end(cause: Error | null): void {
    this.#state = "closed";
    const error = this.#lost(cause);
    try {
      this.#pending.rejectAll(error);
    } finally {
      this.#options.onClose(cause === null ? null : error);
    }
  }

  #take(text: string): void {
    this.#lastInboundAt = this.#options.now();
    const message = parse(text);
    if (message === undefined) return this.#takeGarbage("message_not_json");
    let isMessage = true;
    try {
      isMessage = isJsonObject(message) && this.#dispatch(message);
    } catch {
      // One listener's fault must not cost the other threads their connection.
      this.#options.countFault("message_handler_threw");
    }
    if (isMessage) this.#garbageInARow = 0;
    else this.#takeGarbage("message_unshaped");
  }

  #takeGarbage(fault: string): void {
    this.#options.countFault(fault);
    this.#garbageInARow += 1;
    const { maxGarbageInARow } = this.#options;
    if (this.#garbageInARow < maxGarbageInARow) return;
    void this.destroy(new TransportError(`${maxGarbageInARow} messages in a row were not JSON-RPC`));
  }

  /** Sorts a message by its keys; false when it is none. `jsonrpc` is not required: the app-server leaves it out. */
  #dispatch(message: JsonObject): boolean {
    const { id, method, params, error } = message;
    if (typeof method === "string" && id === undefined) this.#options.onNotification(method, params);
    else if (!isRequestId(id)) return false;
    else if (typeof method === "string") void this.#serve(id, method, params);
    else if (isErrorBody(error)) this.#settle(id, { error });
    else if ("result" in message) this.#settle(id, { result: message.result });
    else return false;
    return true;
  }

  #settle(id: RequestId, answer: RequestReply): void {
    const call = this.#pending.find(id);
    if (call === undefined) {
      this.#options.countFault(this.#pending.wasIssued(id) ? "answer_late" : "answer_unmatched");
      if ("result" in answer) this.#pending.takeLateResult(id, answer.result);
    } else if ("result" in answer) {
      call.settle(answer);
    } else {
      const { code, message, data } = answer.error;
      call.settle({ error: new RpcError(call.method, code, message, data) });
    }
  }

  async #serve(id: RequestId, method: string, params: unknown): Promise<void> {
    const reply = await this.#reply(method, params);
    try {
      await this.#transport.send(encodeMessage({ id, ...reply }));
    } catch {
      // The wire is closed, or the answer was too large to send; only the latter needs another answer.
      this.#options.countFault("reply_not_sent");
      if (this.#state !== "open") return;
      const error = { code: overloaded, message: "the answer cannot be sent" };
      await this.#transport.send(JSON.stringify({ id, error })).catch(() => {});
    }
  }

  async #reply(method: string, params: unknown): Promise<RequestReply> {
    if (this.#openRequests >= this.#options.maxOpenRequests) {
      this.#options.countFault("server_requests_full");
      return { error: { code: overloaded, message: "too many requests wait for an answer" } };
    }
    this.#openRequests += 1;
    try {
      return await this.#options.onRequest(method, params);
    } catch {
      this.#options.countFault("request_handler_threw");
      return { error: { code: methodNotFound, message: `${method} is not answered here` } };
    } finally {
      this.#openRequests -= 1;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new TransportError(String(error));
}

/** A shorter text cannot be nested too deep. */
const deepChars = 2 * codexLevels;

/**
 * Writes a message as Codex can read it. Codex never answers what it cannot read, and the call would wait in vain. Half surrogate
 * pairs become U+FFFD.
 *
 * @throws TooDeepError, and what `JSON.stringify` throws for a value that JSON cannot hold
 */
function encodeMessage(message: object): string {
  const text = JSON.stringify(message);
  if (text.length > deepChars && findTooDeep(message, codexLevels) !== null) {
    throw new TooDeepError(`a message is nested deeper than ${codexLevels} levels`);
  }
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(message)) : text;
}

const comma = new TextEncoder().encode(",");

/** As `encodeMessage`, for a call whose `items` may be packed: those were made readable when they were packed. */
function encodeCall(id: number, method: string, params: unknown): OutgoingMessage {
  if (!isJsonObject(params) || !(params.items instanceof PackedList))
    return encodeMessage({ id, method, params });
  const { items, ...others } = params;
  const head = encodeMessage({ id, method, params: { ...others, items: [] } });
  const tail = "]}}";
  const parts: Uint8Array[] = [Buffer.from(head.slice(0, -tail.length))];
  for (const [index, part] of items.parts.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(part);
  }
  parts.push(Buffer.from(tail));
  return parts;
}

/** `undefined` is no JSON value, so it can stand for a text that is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The client counts it and does not keep the text, which may hold a prompt.
    return undefined;
  }
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === "number" || typeof value === "string";
}

function isErrorBody(value: unknown): value is JsonRpcErrorBody {
  return isJsonObject(value) && typeof value.code === "number" && typeof value.message === "string";
}
