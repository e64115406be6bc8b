/** Errors of the connection to an app-server. Branch on `code` or class; the texts are for people. */

export abstract class AppServerError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The app-server answered with a JSON-RPC error. `rpcCode` -32001 means overloaded: try again later. */
export class RpcError extends AppServerError {
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

/** The wire closed while something waited on it. `cause` says why; `stderrTail` is the end of the child's stderr (stdio only). */
export class ConnectionLostError extends AppServerError {
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
  readonly code = "not_ready";
}

/** No answer within the call's deadline. Whether the app-server acted on it is unknown. */
export class CallTimeoutError extends AppServerError {
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
  readonly code = "call_aborted";
}

/** `limits.maxPendingCalls` calls wait already. */
export class TooManyCallsError extends AppServerError {
  readonly code = "too_many_calls";
}

/** As many threads as allowed have a listener already. */
export class TooManyThreadsError extends AppServerError {
  readonly code = "too_many_threads";
}

/** The answer lacks a key we read; `cause` is the schema's complaint. */
export class BadAnswerError extends AppServerError {
  readonly code = "bad_answer";
}

/** A message over `limits.maxMessageBytes`, in either direction. */
export class MessageTooLargeError extends AppServerError {
  readonly code = "message_too_large";
}

/** A call's parameters cannot be JSON: a BigInt, a circle, a getter that throws. Nothing was sent; `cause` says why. */
export class UnserialisableError extends AppServerError {
  readonly code = "unserialisable";

  constructor(method: string, options: ErrorOptions) {
    super(`the parameters of ${method} cannot be written as JSON`, options);
  }
}

/** A message that is nested deeper than Codex reads. It was not sent. */
export class TooDeepError extends AppServerError {
  readonly code = "too_deep";
}

/** The wire below could not be opened, broke, or the process behind it ended. */
export class TransportError extends AppServerError {
  readonly code = "transport_failed";
}

/** The text of the `TransportError` for a peer that keeps its socket open and does not read. */
export const unread = "the app-server does not read what it is sent";

/** A method was called in the wrong state: a fault of ours. */
export class WrongStateError extends AppServerError {
  readonly code = "wrong_state";
}

/** A system error's code, which is safe to show; its message may hold paths of this machine. */
export function describeSystemError(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) return describeSystemError(at.errors[0]);
  }
  return error instanceof Error ? error.name : typeof error;
}

/** Why a dial failed, safe to show: an app-server's own words may name paths of this machine. */
export function describeDialFailure(error: unknown): string {
  if (error instanceof RpcError) return `the app-server refused the handshake (${error.rpcCode})`;
  if (error instanceof AppServerError) return error.message;
  return `the app-server could not be reached (${describeSystemError(error)})`;
}
