import type { MessagePort } from "node:worker_threads";
import { limits } from "../contract/limits.js";
import type { TurnEvent, TurnPortOutput } from "../contract/turn-messages.js";

export interface TurnOutboxOptions {
  /** Whether somebody follows the output as it comes. */
  readonly followed: boolean;
  /** The reader takes so little that what waits is too much. */
  readonly onOverflow: () => void;
}

/**
 * The least time between two messages, in milliseconds: each costs both threads as much as some ten deltas. What tells of the
 * turn itself, and the first of the model's output, waits for nothing.
 */
const pauseMs = { followed: 4, unfollowed: 500 } as const;

/**
 * Sends a turn's events to the supervisor in batches, as far as its credit goes. Without credit, or where nobody follows, it joins
 * deltas of the same item, so that a slow reader costs the text it has not read and no more.
 */
export class TurnOutbox {
  readonly #port: MessagePort;
  readonly #options: TurnOutboxOptions;
  #waiting: TurnEvent[] = [];
  #waitingBytes = 0;
  #credit: number = limits.turnCreditBatches;
  #flush: NodeJS.Immediate | null = null;
  #pause: NodeJS.Timeout | null = null;
  #hasOutput = false;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  constructor(port: MessagePort, options: TurnOutboxOptions) {
    this.#port = port;
    this.#options = options;
  }

  push(event: TurnEvent): void {
    if (this.#ended) return;
    if (event.type === "turn.ended") this.#ended = true;
    const joins = this.#credit === 0 || !this.#options.followed;
    if (!(joins && this.#joinToLast(event))) this.#waiting.push(event);
    this.#waitingBytes += sizeOf(event);
    if (!this.#ended && this.#waitingBytes > limits.maxTurnBacklogBytes) this.#options.onOverflow();
    if (this.#ended) return this.#send();
    if (this.#isUrgent(event)) this.#flushSoon();
    else this.#flushInTime();
  }

  #isUrgent({ type }: TurnEvent): boolean {
    if (type === "turn.started" || type === "turn.parked") return true;
    const isFirst = !this.#hasOutput;
    this.#hasOutput = true;
    return isFirst;
  }

  /** One flush per turn of the event loop: what one read of the socket brought goes in one message. */
  #flushSoon(): void {
    this.#flush ??= setImmediate(this.#send);
  }

  #flushInTime(): void {
    if (this.#flush !== null || this.#pause !== null) return;
    const pause = this.#options.followed ? pauseMs.followed : pauseMs.unfollowed;
    const leftMs = this.#sentAtMs + pause - performance.now();
    if (leftMs <= 0) this.#flushSoon();
    else this.#pause = setTimeout(this.#send, leftMs);
  }

  addCredit(batches: number): void {
    this.#credit += batches;
    if (this.#waiting.length > 0) this.#flushInTime();
  }

  readonly #send = (): void => {
    if (this.#flush !== null) clearImmediate(this.#flush);
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#flush = null;
    this.#pause = null;
    // The terminal event needs no credit: whoever stopped reading must still learn that it is over.
    if (this.#waiting.length === 0 || (this.#credit === 0 && !this.#ended)) return;
    const message: TurnPortOutput = { type: "events", events: this.#waiting };
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#sentAtMs = performance.now();
    if (this.#credit > 0) this.#credit -= 1;
    this.#port.postMessage(message);
  };

  #joinToLast(event: TurnEvent): boolean {
    const last = this.#waiting.at(-1);
    if (last?.type === "text.delta" && event.type === "text.delta" && last.itemId === event.itemId) {
      this.#waiting[this.#waiting.length - 1] = { ...last, delta: last.delta + event.delta };
      return true;
    }
    return false;
  }
}

/** Rough: characters of what can grow without bound. */
function sizeOf(event: TurnEvent): number {
  if ("delta" in event) return event.delta.length;
  return event.type === "item.completed" ? JSON.stringify(event.item).length : 64;
}
