import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { watchLimits } from "../../../workers/contract/wait.js";
import type { BodyLimits, HeldBody } from "../body/incoming-body.js";

/** Head and mask of a client's control frame. */
const controlFrameHeadBytes = 6;

/** Why a message is given up before it has arrived. */
export type GivenUp = "no_room" | "too_slow";

/**
 * The message that is arriving on one WebSocket: `ws` collects its frames, and this counts its bytes, so that messages share the room
 * of HTTP's bodies and may not arrive more slowly than those.
 */
export class ArrivingMessage {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #limits: BodyLimits;
  readonly #caller: string;
  readonly #onGivenUp: (why: GivenUp) => void;
  #held: HeldBody | null = null;
  #bytes = 0;
  #beganAtMs = 0;
  #lastByteAtMs = 0;
  #stopWatch: () => void = () => {};
  /** The present chunk completed a message. */
  #isCompleted = false;
  /** Of control frames in the present chunk. */
  #controlBytes = 0;

  /** `caller`: whose room it takes. */
  constructor(
    { webSocket, socket }: { readonly webSocket: WebSocket; readonly socket: Socket },
    limits: BodyLimits,
    caller: string,
    onGivenUp: (why: GivenUp) => void,
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#limits = limits;
    this.#caller = caller;
    this.#onGivenUp = onGivenUp;
    // Behind the listener of `ws`, so that what completed a message is not counted for the next one.
    socket.on("data", (chunk: Buffer) => this.#count(chunk.length));
    const leaveOut = (data: Buffer) => {
      this.#controlBytes += data.length + controlFrameHeadBytes;
    };
    webSocket.on("ping", leaveOut).on("pong", leaveOut);
    socket.once("close", () => this.#drop());
  }

  /** A message has arrived, whose bytes are held until the returned room is released; null where there is no room for them. */
  take(bytes: number): HeldBody | null {
    const held = this.#held ?? this.#open();
    this.#stopWatch();
    this.#held = null;
    const missing = bytes - this.#bytes;
    // What the same chunk brought behind it belongs to the next message.
    this.#bytes = 0;
    this.#isCompleted = true;
    if (missing > 0 && !held.hold(missing)) {
      held.release();
      return null;
    }
    held.settle();
    return held;
  }

  #count(bytes: number): void {
    const counted = this.#isCompleted ? 0 : bytes - this.#controlBytes;
    this.#isCompleted = false;
    this.#controlBytes = 0;
    if (counted < 0) this.#takeBack(-counted);
    if (counted <= 0) return;
    this.#lastByteAtMs = performance.now();
    const held = this.#held ?? this.#begin();
    this.#bytes += counted;
    if (!held.hold(counted)) this.#giveUp("no_room");
    else this.#watch();
  }

  /** Of a control frame that has ended, earlier chunks brought these bytes, which were counted as a message's. */
  #takeBack(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes <= 0) this.#drop();
  }

  #begin(): HeldBody {
    this.#beganAtMs = performance.now();
    this.#held = this.#open();
    return this.#held;
  }

  #open(): HeldBody {
    const lastByteAtMs = () => this.#lastByteAtMs;
    return this.#limits.room.open(this.#caller, this.#socket, {
      get silentMs() {
        return performance.now() - lastByteAtMs();
      },
      giveUp: () => this.#giveUp("too_slow"),
    });
  }

  /** Each byte earns the message time, as it does a body. */
  #watch(): void {
    const { minBytesPerSecond, graceMs } = this.#limits.bounds.pace;
    this.#stopWatch();
    if (minBytesPerSecond === 0) return;
    const dueAtMs = this.#beganAtMs + graceMs + (this.#bytes / minBytesPerSecond) * 1000;
    const leftMs = Math.min(graceMs, Math.max(0, dueAtMs - performance.now()));
    this.#stopWatch = watchLimits({ timeoutMs: leftMs }, () => {
      // Nothing is read from it just now, which is not its fault.
      if (this.#webSocket.isPaused) this.#watchAnew();
      else this.#giveUp("too_slow");
    });
  }

  #watchAnew(): void {
    const { minBytesPerSecond } = this.#limits.bounds.pace;
    this.#beganAtMs = performance.now() - (this.#bytes / minBytesPerSecond) * 1000;
    this.#watch();
  }

  #giveUp(why: GivenUp): void {
    if (this.#held === null) return;
    this.#drop();
    this.#onGivenUp(why);
  }

  #drop(): void {
    this.#stopWatch();
    this.#held?.release();
    this.#held = null;
    this.#bytes = 0;
  }
}
