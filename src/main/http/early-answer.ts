import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { BodyFlow } from "./body/body-flow.js";
import { waitsToContinue } from "./body/incoming-body.js";

/** Bounds on what is read of a body whose answer is given: enough for five times the largest body, at any usual speed. */
const discardedBytes = { least: 256 * 1024 * 1024, timesLargestBody: 8 };
const discardedForMs = 20_000;
const minBytesPerSecond = 64 * 1024;

/** How long a sender may fall silent, in milliseconds. A busy client takes some time between its head and a large body. */
const patienceMs = 5_000;
/** Where no more is expected. */
const littlePatienceMs = 1_000;

/** A rest up to this size costs less than another connection. */
const keptForBytes = 64 * 1024;

/**
 * Answers that are given before their request has come whole. A system whose program closes a connection with bytes unread
 * resets it, which takes the answer from a client that is still sending; so the rest is read and thrown away first.
 */
export class EarlyAnswers {
  readonly #maxBodyBytes: () => number;
  readonly #closing = new WeakMap<Socket, () => void>();

  constructor(maxBodyBytes: () => number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * For an answer that is about to be written. True: its connection ends with it, and it should say so. `isGivenUp`: no more of
   * the request is worth waiting for.
   */
  prepare(request: IncomingMessage, response: ServerResponse, isGivenUp = false): boolean {
    const { "content-length": length, "transfer-encoding": coding } = request.headers;
    // Not a boolean where requests are injected without a socket.
    if (request.complete !== false || (coding === undefined && Number(length ?? 0) === 0)) return false;
    const isExpected = !isGivenUp && !waitsToContinue(request);
    const isLast = !isExpected || !(Number(length) <= keptForBytes);
    const rest = this.discard(
      isLast ? takeRest(request) : request,
      isExpected ? patienceMs : littlePatienceMs,
    );
    this.#closeBehind(rest, request.socket, response, isLast);
    return isLast;
  }

  /** Whether the connection's last answer is given, whatever still comes. If so, it ends as soon as that is written. */
  endAt(socket: Socket): boolean {
    const end = this.#closing.get(socket);
    if (end === undefined) return false;
    end();
    return true;
  }

  /** Settles when nothing more comes, or not in time, or when it was enough. */
  async discard(source: Readable, graceMs = littlePatienceMs): Promise<"ended" | "cut"> {
    const { least, timesLargestBody } = discardedBytes;
    let leftBytes = Math.max(least, timesLargestBody * this.#maxBodyBytes());
    const flow = new BodyFlow(source, { minBytesPerSecond, graceMs }, (chunk) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) throw new Error("enough was discarded");
    });
    const limit = setTimeout(() => flow.stop(new Error("enough time was spent")), discardedForMs);
    try {
      await flow.done;
      return "ended";
    } catch {
      return "cut";
    } finally {
      clearTimeout(limit);
    }
  }

  /** node closes a connection with its last answer; that is put off until the rest of the request was read. */
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

/** Where what is left of a request can be read; where it comes in chunks nothing can be read as HTTP behind it any more. */
function takeRest(request: IncomingMessage): Readable {
  if (request.headers["transfer-encoding"] === undefined) return request;
  // To look for the end among small chunks would cost far more than it cost to send them.
  request.socket.removeAllListeners("data");
  return request.socket;
}
