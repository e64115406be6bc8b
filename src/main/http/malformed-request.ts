/** Answers to bytes that node's parser refuses. They never become a request, so the answer is written to the socket. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describeError } from "../dialects/answers/error-body.js";
import { CodexNativeApiError, type CodexNativeApiErrorCode } from "../errors.js";
import { commonHeaders } from "./common-headers.js";
import type { EarlyAnswers } from "./early-answer.js";
import { describeErrorHeaders } from "./error-reply.js";
import type { InFlight } from "./in-flight.js";
import { createId } from "./request-id.js";

const contentLengthFault = "Content-Length is not one number, or came with Transfer-Encoding.";

const refusals: Readonly<Record<string, readonly [CodexNativeApiErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ["request_headers_too_large", "The request's target and headers are too large."],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ["body_too_large", "The extensions of the body's chunks are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: ["request_timeout", "The request took too long to arrive."],
  HPE_INVALID_METHOD: ["invalid_request", "The request does not begin with a method of HTTP."],
  HPE_INVALID_URL: ["invalid_request", "The request's target is not valid."],
  HPE_INVALID_VERSION: ["invalid_request", "The request is neither HTTP/1.1 nor HTTP/1.0."],
  HPE_INVALID_CONTENT_LENGTH: ["invalid_request", contentLengthFault],
  HPE_UNEXPECTED_CONTENT_LENGTH: ["invalid_request", contentLengthFault],
  HPE_INVALID_TRANSFER_ENCODING: [
    "invalid_request",
    "Transfer-Encoding is wrong, or came with Content-Length.",
  ],
  HPE_INVALID_CHUNK_SIZE: ["invalid_request", "The size of a chunk of the body is not valid."],
  HPE_INVALID_HEADER_TOKEN: ["invalid_request", "A header of the request is not valid."],
  HPE_INVALID_EOF_STATE: ["invalid_request", "The connection ended before the request had arrived."],
};

/** Sends one answer, with which the connection ends. */
export class MalformedRequests {
  readonly #early: EarlyAnswers;
  readonly #inFlight: InFlight;
  readonly #refused = new WeakSet<Socket>();

  constructor(early: EarlyAnswers, inFlight: InFlight) {
    this.#early = early;
    this.#inFlight = inFlight;
  }

  /** For node's `clientError`, which is emitted again for bytes after the fault. */
  refuse(error: Error & { readonly code?: string }, socket: Socket): void {
    if (this.#refused.has(socket)) return;
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    if (this.#early.endAt(socket)) return;
    const [code, message] = refusals[error.code ?? ""] ?? [
      "invalid_request",
      "The request is not valid HTTP.",
    ];
    this.#answer(socket, new CodexNativeApiError(code, message));
  }

  /** For node's `connect`. */
  refuseTunnel(socket: Duplex): void {
    const error = new CodexNativeApiError("not_implemented", "This service is no proxy.");
    socket.end(describeRefusal(error));
  }

  #answer(socket: Socket, error: CodexNativeApiError): void {
    const answers = this.#inFlight.answersOn(socket);
    if (answers.some(({ req, headersSent }) => !req.complete && headersSent)) {
      socket.destroy();
      return;
    }
    this.#refused.add(socket);
    // node's own reader would report the same fault again for further bytes.
    socket.removeAllListeners("data");
    // Answers to earlier requests go first.
    const before = answers.filter(({ req }) => req.complete);
    let left = before.length;
    if (left === 0) this.#write(socket, error);
    else socket.pause();
    for (const answer of before) {
      answer.once("close", () => {
        left -= 1;
        if (left === 0) this.#write(socket, error);
      });
    }
  }

  #write(socket: Socket, error: CodexNativeApiError): void {
    if (!socket.writable) return;
    socket.end(describeRefusal(error));
    void this.#early.discard(socket).then(() => socket.destroySoon());
  }
}

function describeRefusal(error: CodexNativeApiError): string {
  const body = JSON.stringify(describeError(error));
  const headers = {
    "x-request-id": createId("req"),
    ...commonHeaders,
    ...describeErrorHeaders(error),
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}\r\n${head.join("")}\r\n${body}`;
}
