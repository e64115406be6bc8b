/** Errors of the connection to an app-server. Branch on `code`; the texts are for people. */

export type AppServerErrorCode =
  | "rpc_error"
  | "connection_lost"
  | "not_ready"
  | "call_timeout"
  | "call_aborted"
  | "too_many_calls"
  | "too_many_threads"
  | "bad_answer"
  | "message_too_large"
  | "too_deep"
  | "transport_failed"
  | "unserialisable"
  | "wrong_state";

export abstract class AppServerError extends Error {
  abstract readonly code: AppServerErrorCode;
}

/** The app-server answered with a JSON-RPC error. `rpcCode` -32001 means overloaded: try again later. */
export class RpcError extends AppServerError {
  override readonly name = "RpcError";
  readonly code = "rpc_error";

  constructor(
    readonly method: string,
    readonly rpcCode: number,
    message: string,
    readonly data: unknown,
  ) {
    super(message);
  }
}

/** The wire closed while something waited on it. `cause` says why; `stderrTail` is the child's last words (stdio only). */
export class ConnectionLostError extends AppServerError {
  override readonly name = "ConnectionLostError";
  readonly code = "connection_lost";

  constructor(
    message: string,
    readonly stderrTail: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Nothing is sent before the handshake is done. */
export class NotReadyError extends AppServerError {
  override readonly name = "NotReadyError";
  readonly code = "not_ready";
}

/** No answer within the call's deadline. Whether the app-server acted on it is unknown. */
export class CallTimeoutError extends AppServerError {
  override readonly name = "CallTimeoutError";
  readonly code = "call_timeout";

  constructor(
    readonly method: string,
    readonly timeoutMs: number,
  ) {
    super(`${method} was not answered within ${timeoutMs} ms`);
  }
}

/** The caller's signal aborted the wait; `cause` is the signal's reason. */
export class CallAbortedError extends AppServerError {
  override readonly name = "CallAbortedError";
  readonly code = "call_aborted";
}

/** `limits.maxPendingCalls` calls wait already. */
export class TooManyCallsError extends AppServerError {
  override readonly name = "TooManyCallsError";
  readonly code = "too_many_calls";
}

/** As many threads as allowed have a listener already. */
export class TooManyThreadsError extends AppServerError {
  override readonly name = "TooManyThreadsError";
  readonly code = "too_many_threads";
}

/** The answer lacks a key we read; `cause` is the schema's complaint. */
export class BadAnswerError extends AppServerError {
  override readonly name = "BadAnswerError";
  readonly code = "bad_answer";
}

/** A message over `limits.maxMessageBytes`, in either direction. */
export class MessageTooLargeError extends AppServerError {
  override readonly name = "MessageTooLargeError";
  readonly code = "message_too_large";
}

/** What a call is to carry is not JSON: a BigInt, a circle, a getter that throws. Nothing was sent; `cause` says why. */
export class UnserialisableError extends AppServerError {
  override readonly name = "UnserialisableError";
  readonly code = "unserialisable";

  constructor(method: string, options: ErrorOptions) {
    super(`the parameters of ${method} cannot be written as JSON`, options);
  }
}

/** A message that is nested deeper than Codex reads. It was not sent. */
export class TooDeepError extends AppServerError {
  override readonly name = "TooDeepError";
  readonly code = "too_deep";
}

/** The wire below could not be opened, broke, or the process behind it ended. */
export class TransportError extends AppServerError {
  override readonly name = "TransportError";
  readonly code = "transport_failed";
}

/** The text of the `TransportError` for a peer that keeps its socket open and leaves unread what it is sent. */
export const unread = "the app-server does not read what it is sent";

/** A method was called in a state that has no use for it: a fault of ours. */
export class WrongStateError extends AppServerError {
  override readonly name = "WrongStateError";
  readonly code = "wrong_state";
}
