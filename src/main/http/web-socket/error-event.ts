/** Errors as events of a WebSocket, in OpenAI's form: with the status that an answer over HTTP would have. */
import { sayNotFound } from "../../continuation/chain.js";
import { describeError } from "../../dialects/answers/error-body.js";
import type { CodexNativeApiError } from "../../errors.js";
import { describeErrorHeaders } from "../error-reply.js";

/** Codes that OpenAI has for WebSockets alone. */
export type SocketErrorCode =
  | "previous_response_not_found"
  | "websocket_connection_limit_reached"
  | "websocket_stream_limit_reached"
  | "invalid_stream_id";

export interface ErrorEvent {
  readonly type: "error";
  readonly status: number;
  readonly error: {
    readonly type: string;
    readonly code: string;
    readonly message: string;
    readonly param: string | null;
  };
  /** Those that an answer over HTTP would have: when to retry, and whether that helps. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One of OpenAI's own errors of WebSockets, all of which have status 400. */
export function describeSocketError(
  code: SocketErrorCode,
  message: string,
  param: string | null = null,
): ErrorEvent {
  // What it quotes may have been cut within a character.
  const error = { type: "invalid_request_error", code, message: message.toWellFormed(), param } as const;
  return { type: "error", status: 400, error, headers: { "x-should-retry": "false" } };
}

/**
 * An error of this service. A response to continue that is not known, or not known any more, has OpenAI's own code and words, at which
 * clients send their whole history.
 */
export function describeErrorEvent(
  fault: CodexNativeApiError,
  previousResponseId: string | null,
): ErrorEvent {
  const isGone = fault.code === "continuation_not_found" || fault.code === "continuation_expired";
  if (isGone && previousResponseId !== null) {
    const message = sayNotFound(previousResponseId);
    return describeSocketError("previous_response_not_found", message, "previous_response_id");
  }
  const { error } = describeError(fault);
  return { type: "error", status: fault.status, error, headers: describeErrorHeaders(fault) };
}
