import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { waitWithin } from "../../workers/contract/wait.js";
import { BodyFlow } from "./body/body-flow.js";
import { waitsToContinue } from "./body/incoming-body.js";

/** Bounds on the bytes and the time for the rest of a body that is answered already: enough for the largest body at any usual speed. */
const discardedBytes = { least: 256 * 1024 * 1024, timesLargestBody: 8 };
const discardedForMs = 20_000;
const minBytesPerSecond = 64 * 1024;

/** How long a sender may be silent, in milliseconds. A busy client takes some time between its head and a large body. */
const patienceMs = 5_000;
/** The same where no more bytes are expected. */
const littlePatienceMs = 1_000;

/** It costs less to read a rest up to this size than to open another connection. */
const keptForBytes = 64 * 1024;

/**
 * Answers that are sent before their request has arrived completely. If a program closes a connection with unread bytes, the system
 * resets it, and a client that is still sending loses the answer. So this reads the rest and throws it away first.
 */
export class EarlyAnswers {
  readonly #maxBodyBytes: () => number;
  readonly #closing = new WeakMap<Socket, () => void>();

  constructor(maxBodyBytes: () => number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * For an answer that is about to be written. Returns whether its connection ends with it, which its head should say. `isTooSlow`: the
   * rest of the request is not expected.
   */
  prepare(request: IncomingMessage, response: ServerResponse, isTooSlow = false): boolean {
    const { "content-length": length, "transfer-encoding": coding } = request.headers;
    // Undefined for requests that are injected without a socket.
    if (request.complete !== false || (coding === undefined && Number(length ?? 0) === 0)) return false;
    const isExpected = !isTooSlow && !waitsToContinue(request);
    const isLast = !isExpected || !(Number(length) <= keptForBytes);
    const rest = this.discard(
      isLast ? takeRest(request) : request,
      isExpected ? patienceMs : littlePatienceMs,
    );
    this.#closeBehind(rest, request.socket, response, isLast);
    return isLast;
  }

  /** Whether the connection has its last answer already. If so, it closes once that is written, whatever still arrives. */
  endAt(socket: Socket): boolean {
    const end = this.#closing.get(socket);
    if (end === undefined) return false;
    end();
    return true;
  }

  /** Reads and throws away. `ended`: the source is at its end. `cut`: it was too slow or too long. */
  async discard(source: Readable, graceMs = littlePatienceMs): Promise<"ended" | "cut"> {
    const { least, timesLargestBody } = discardedBytes;
    let leftBytes = Math.max(least, timesLargestBody * this.#maxBodyBytes());
    const flow = new BodyFlow(source, { minBytesPerSecond, graceMs }, (chunk) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) throw new Error("enough was discarded");
    });
    const refuse = () => {
      throw new Error("enough time was spent");
    };
    try {
      await waitWithin(flow.done, { timeoutMs: discardedForMs }, refuse);
      return "ended";
    } catch (error) {
      flow.end(error);
      return "cut";
    }
  }

  /** node closes a connection with its last answer. This delays the close until the rest of the request was read. */
  #closeBehind(
    rest: Promise<"ended" | "cut">,
    socket: Socket,
    response: ServerResponse,
    isLast: boolean,
  ): void {
    const close = socket.destroySoon.bind(socket);
    let isOver = isLast;
    socket.destroySoon = () => {
      isOver = true;
    };
    const end = () => {
      this.#closing.delete(socket);
      socket.destroySoon = close;
      if (!isOver) return;
      if (response.closed) close();
      else response.once("close", close);
    };
    this.#closing.set(socket, () => {
      isOver = true;
      end();
    });
    void rest.then((how) => {
      isOver ||= how === "cut";
      end();
    });
  }
}

/** The source of a request's rest. A chunked one is read from the socket, which can carry no other request after that. */
function takeRest(request: IncomingMessage): Readable {
  if (request.headers["transfer-encoding"] === undefined) return request;
  // Finding the end among small chunks would cost far more than it cost to send them.
  request.socket.removeAllListeners("data");
  return request.socket;
}
