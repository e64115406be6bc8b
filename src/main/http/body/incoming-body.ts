import type { IncomingMessage, ServerResponse } from "node:http";
import { CodexNativeApiError } from "../../errors.js";
import { BodyFlow, type BodyPace, type TakeChunk, tooSlow } from "./body-flow.js";
import { BodyRoom, type HeldBody } from "./body-room.js";

/** How many of the largest bodies the requests under way may hold together. */
const largestAtOnce = 16;
/**
 * What may come around the bytes of a body, such as the sizes of its chunks: as much as they are themselves, and some more. node
 * spends thousands of times as much on chunks of one byte as on a whole body of the same size.
 */
const framingPerByte = 2;
const minFramingBytes = 256 * 1024;

/** Whoever comes without a token shares one caller's room: connections are as many as anybody likes. */
export const anonymousCaller = "";

const roomAgainAfterMs = 1_000;

/** Bounds on one body, and on those of all requests under way. */
export class BodyLimits {
  /** Both hold for bodies that begin after they were set. */
  maxBytes: number;
  pace: BodyPace;
  readonly room = new BodyRoom(() => largestAtOnce * this.maxBytes);

  constructor(maxBytes: number, pace: BodyPace) {
    this.maxBytes = maxBytes;
    this.pace = pace;
  }
}

/** The body of one request. It is read once, or not at all. */
export class IncomingBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #limits: BodyLimits;
  #held: HeldBody | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, limits: BodyLimits) {
    this.#request = request;
    this.#response = response;
    this.#limits = limits;
  }

  /**
   * Reads it to its end: `take` gets each chunk as it arrives, and what it throws ends the reading. All bodies of a `caller`
   * share its room.
   *
   * @throws CodexNativeApiError `body_too_large`, `queue_full`, `request_timeout`, or `invalid_request` where it is cut short or into
   *   crumbs.
   */
  async read(caller: string, take: TakeChunk): Promise<void> {
    const { maxBytes, pace, room } = this.#limits;
    if (Number(this.#request.headers["content-length"]) > maxBytes) throw tooLarge();
    if (waitsToContinue(this.#request)) this.#response.writeContinue();
    const { socket } = this.#request;
    const earlierBytes = socket.bytesRead;
    let bytes = 0;
    const flow = new BodyFlow(this.#request, pace, (chunk) => {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      if (socket.bytesRead - earlierBytes > minFramingBytes + framingPerByte * bytes) throw tooManyChunks();
      if (!held.hold(chunk.length)) throw noRoom();
      return take(chunk);
    });
    const held = room.open(caller, socket, {
      get silentMs() {
        return flow.silentMs;
      },
      giveUp: () => {
        held.release();
        flow.stop(tooSlow());
      },
    });
    this.#held = held;
    try {
      await flow.done;
      held.settle();
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** Nothing of it is held any more. */
  release(): void {
    this.#held?.release();
  }
}

/** The client sends its body only when it is asked to. */
export function waitsToContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.1" && /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect ?? "");
}

function tooLarge(): CodexNativeApiError {
  return new CodexNativeApiError("body_too_large", "The request body is larger than this server takes.");
}

function tooManyChunks(): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", "The request body comes in chunks of a few bytes each.");
}

function noRoom(): CodexNativeApiError {
  const message = "The bodies of the requests under way fill what room there is.";
  return new CodexNativeApiError("queue_full", message, { retryAfterMs: roomAgainAfterMs });
}
