import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { CodexNativeApiError } from "../../errors.js";
import { BodyFlow, type BodyPace, type TakeChunk, tooSlow } from "./body-flow.js";
import type { JsonBounds } from "./json-scan.js";

/** So much of each connection's body is not counted: small requests are read even when the room is full. */
export const alwaysReadBytes = 64 * 1024;

/** A caller may hold up to this many times the free room, so there is always some left for others. */
const shareOfFree = 3;

/** A body that has been silent for this long gives its room to one that needs it, in milliseconds. */
const idleMs = 2_000;

/** A body that is still arriving. */
export interface ArrivingBody {
  /** Time since its last byte, in milliseconds. */
  readonly silentMs: number;
  /** Must release all that it holds at once. */
  giveUp(): void;
}

/** The room of one body. */
export interface HeldBody {
  /** Counts these bytes. False if there is no room for them; they are not counted then. */
  hold(bytes: number): boolean;
  /** The body has arrived: from now on it keeps its room until its release. */
  settle(): void;
  release(): void;
}

/**
 * The memory that the bodies of all requests under way share, from their first byte until their answers end. One caller, however many
 * connections it has, leaves room for others.
 */
export class BodyRoom {
  readonly #sizeBytes: () => number;
  readonly #heldBy = new Map<string, number>();
  readonly #arriving = new Set<ArrivingBody>();
  /** Connections with a body whose first bytes are not counted. Of a further body on the same connection all bytes count. */
  readonly #connections = new WeakSet<Socket>();
  #heldBytes = 0;

  constructor(sizeBytes: () => number) {
    this.#sizeBytes = sizeBytes;
  }

  open(caller: string, socket: Socket, body: ArrivingBody): HeldBody {
    const uncounted = this.#connections.has(socket) ? 0 : alwaysReadBytes;
    if (uncounted > 0) this.#connections.add(socket);
    this.#arriving.add(body);
    let bytesSoFar = 0;
    let counted = 0;
    let isReleased = false;
    return {
      hold: (bytes) => {
        const more = Math.max(0, bytesSoFar + bytes - uncounted) - counted;
        if (isReleased || !this.#makeRoom(caller, more, body)) return false;
        bytesSoFar += bytes;
        counted += more;
        this.#count(caller, more);
        return true;
      },
      settle: () => this.#arriving.delete(body),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#arriving.delete(body);
        if (uncounted > 0) this.#connections.delete(socket);
        this.#count(caller, -counted);
      },
    };
  }

  #count(caller: string, bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes += bytes;
    const held = (this.#heldBy.get(caller) ?? 0) + bytes;
    if (held > 0) this.#heldBy.set(caller, held);
    else this.#heldBy.delete(caller);
  }

  #makeRoom(caller: string, bytes: number, body: ArrivingBody): boolean {
    while (!this.#hasRoom(caller, bytes)) {
      const idle = this.#findIdle(body);
      if (idle === null) return false;
      idle.giveUp();
      this.#arriving.delete(idle);
    }
    return true;
  }

  #hasRoom(caller: string, bytes: number): boolean {
    if (bytes === 0) return true;
    const held = (this.#heldBy.get(caller) ?? 0) + bytes;
    const free = this.#sizeBytes() - this.#heldBytes - bytes;
    return held <= free * shareOfFree;
  }

  /** The body that has been silent for longest. */
  #findIdle(asking: ArrivingBody): ArrivingBody | null {
    let found: ArrivingBody | null = null;
    let longestMs = idleMs;
    for (const body of this.#arriving) {
      const { silentMs } = body;
      if (body === asking || silentMs < longestMs) continue;
      found = body;
      longestMs = silentMs;
    }
    return found;
  }
}

/** How many of the largest bodies the requests under way may hold together. */
const largestAtOnce = 16;
/**
 * Bound on the framing of a body, such as the sizes of its chunks: twice the bytes of the body, and some more. node spends thousands of
 * times as much on chunks of one byte as on a body of the same size in one piece.
 */
const framingPerByte = 2;
const minFramingBytes = 256 * 1024;

/** Callers without a token share the room of one: anyone can open any number of connections. */
export const anonymousCaller = "";

/** Bounds on one body. */
export interface BodyBounds extends JsonBounds {
  readonly maxBytes: number;
  readonly pace: BodyPace;
}

/** Bounds on one body, and on those of all requests under way. */
export class BodyLimits {
  /** For bodies that begin after this was set. */
  bounds: BodyBounds;
  readonly room = new BodyRoom(() => largestAtOnce * this.bounds.maxBytes);

  constructor(bounds: BodyBounds) {
    this.bounds = bounds;
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
   * Reads the body to its end: `take` gets each chunk as it arrives, and its errors end the reading. All bodies of a `caller` share its
   * room.
   *
   * @throws CodexNativeApiError `body_too_large`, `queue_full`, `request_timeout`, or `invalid_request` if it is cut short or comes in
   *   tiny chunks.
   */
  async read(caller: string, take: TakeChunk): Promise<void> {
    const { room, bounds } = this.#limits;
    const { maxBytes, pace } = bounds;
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
        flow.end(tooSlow());
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

  /** Its bytes are no longer in memory. */
  release(): void {
    this.#held?.release();
  }
}

/** Whether the client sends its body only after a `100 Continue`. */
export function waitsToContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.1" && /(?:^|\W)100-continue(?:$|\W)/i.test(headers.expect ?? "");
}

function tooLarge(): CodexNativeApiError {
  return new CodexNativeApiError("body_too_large", "The request body exceeds the size limit.");
}

function tooManyChunks(): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", "The request body comes in chunks of a few bytes each.");
}

function noRoom(): CodexNativeApiError {
  const message = "The bodies of the requests under way use all memory that is reserved for them.";
  return new CodexNativeApiError("queue_full", message, { retryAfterMs: 1_000 });
}
