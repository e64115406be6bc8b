import { isJsonObject } from "../contract/json.js";
import { codexLevels, findTooDeep } from "../contract/json-depth.js";
import { mayHoldHalves, mendTexts } from "../contract/well-formed.js";
import {
  ConnectionLostError,
  RpcError,
  TooDeepError,
  TransportError,
  UnserialisableError,
} from "./errors.js";
import {
  type JsonRpcErrorBody,
  type JsonRpcInput,
  type RequestId,
  readJsonRpcMessage,
} from "./json-rpc-messages.js";
import { PackedList } from "./packed-list.js";
import { type CallOptions, PendingCalls } from "./pending-calls.js";
import type { OutgoingMessage, Transport, TransportStartOptions } from "./transport.js";

/** What a request of the peer's is answered with. */
export type RequestReply = { readonly result: unknown } | { readonly error: JsonRpcErrorBody };

export interface JsonRpcClientOptions {
  readonly transport: Transport;
  readonly onNotification: (method: string, params: unknown) => void;
  /** One that throws or rejects answers with -32601, so that the peer never waits for nothing. */
  readonly onRequest: (method: string, params: unknown) => RequestReply | Promise<RequestReply>;
  /** Once, after all calls were rejected; null when closed on purpose. */
  readonly onClose: (error: ConnectionLostError | null) => void;
  readonly countFault: (name: string) => void;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  readonly maxGarbageInARow: number;
  readonly maxOpenRequests: number;
  /** Whether the peer has answered something that was asked at this time or later. Never rejects. Default: it is not known. */
  readonly answersSince?: (time: number) => Promise<boolean>;
}

export const methodNotFound = -32601;
const overloaded = -32001;

/** JSON-RPC over a transport: ids, deadlines and answers. It knows no method. */
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

  /** When the peer last said anything, on the injected clock. */
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
    const message = cause === null ? "the connection to the app-server is closed" : cause.message;
    return new ConnectionLostError(
      message,
      this.#transport.stderrTail,
      cause === null ? undefined : { cause },
    );
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
    const message = readJsonRpcMessage(text);
    if (message.kind === "fault") {
      this.#takeGarbage(message.fault);
      return;
    }
    this.#garbageInARow = 0;
    try {
      this.#dispatch(message);
    } catch {
      // One listener's fault must not cost the other threads their connection.
      this.#options.countFault("message_handler_threw");
    }
  }

  #takeGarbage(fault: string): void {
    this.#options.countFault(fault);
    this.#garbageInARow += 1;
    const { maxGarbageInARow } = this.#options;
    if (this.#garbageInARow < maxGarbageInARow) return;
    void this.destroy(new TransportError(`${maxGarbageInARow} messages in a row were not JSON-RPC`));
  }

  #dispatch(message: Exclude<JsonRpcInput, { kind: "fault" }>): void {
    switch (message.kind) {
      case "notification":
        this.#options.onNotification(message.method, message.params);
        return;
      case "request":
        void this.#serve(message.id, message.method, message.params);
        return;
      case "result":
      case "error":
        this.#settle(message);
        return;
      default:
        message satisfies never;
    }
  }

  #settle(message: Extract<JsonRpcInput, { kind: "result" | "error" }>): void {
    const call = this.#pending.find(message.id);
    if (call === undefined) {
      this.#options.countFault(this.#pending.wasIssued(message.id) ? "answer_late" : "answer_unmatched");
      if (message.kind === "result") this.#pending.takeLateResult(message.id, message.result);
    } else if (message.kind === "result") {
      call.settle({ result: message.result });
    } else {
      const { code, message: text, data } = message.error;
      call.settle({ error: new RpcError(call.method, code, text, data) });
    }
  }

  async #serve(id: RequestId, method: string, params: unknown): Promise<void> {
    const reply = await this.#reply(method, params);
    try {
      await this.#transport.send(encodeMessage({ id, ...reply }));
    } catch {
      // The peer is gone, or the answer was too large to send. Refuse the latter; the former refuses itself.
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

/** No shorter text can be nested too deep. */
const deepChars = 2 * codexLevels;

/**
 * A message as Codex can read it, whoever composed it: what Codex cannot read it never answers, and the call would wait for
 * nothing. Half surrogate pairs become U+FFFD.
 *
 * @throws TooDeepError, and what `JSON.stringify` throws for what is no JSON
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
