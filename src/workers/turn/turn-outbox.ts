import type { MessagePort } from "node:worker_threads";
import { limits } from "../contract/limits.js";
import type { TurnEvent, TurnPortOutput } from "../contract/turn-messages.js";

export interface TurnOutboxOptions {
  /** The output is read as it comes. */
  readonly followed: boolean;
  /** The reader takes so little that too much waits. */
  readonly onOverflow: () => void;
}

/**
 * The least time between two messages, in milliseconds: each costs both threads as much as some ten deltas. Events of the
 * turn itself, and the first output of the model, are sent at once.
 */
const pauseMs = { followed: 4, unfollowed: 500 } as const;

/**
 * Sends a turn's events to the supervisor in batches, as far as its credit goes. Without credit, or if the output is not followed, it joins
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
    if (this.#ended) this.#send();
    else this.#schedule(this.#isUrgent(event));
  }

  #isUrgent({ type }: TurnEvent): boolean {
    if (type === "turn.started" || type === "turn.parked") return true;
    const isFirst = !this.#hasOutput;
    this.#hasOutput = true;
    return isFirst;
  }

  /** One message per round of the event loop at most: it has all that one read of the socket brought. */
  #schedule(isUrgent: boolean): void {
    if (this.#flush !== null || (this.#pause !== null && !isUrgent)) return;
    const leastMs = pauseMs[this.#options.followed ? "followed" : "unfollowed"];
    const leftMs = isUrgent ? 0 : this.#sentAtMs + leastMs - performance.now();
    if (leftMs > 0) this.#pause = setTimeout(this.#send, leftMs);
    else this.#flush = setImmediate(this.#send);
  }

  addCredit(batches: number): void {
    this.#credit += batches;
    if (this.#waiting.length > 0) this.#schedule(false);
  }

  readonly #send = (): void => {
    if (this.#flush !== null) clearImmediate(this.#flush);
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#flush = null;
    this.#pause = null;
    // The terminal event needs no credit: a reader that has stopped must still learn that the turn is over.
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
    if (last?.type !== "text.delta" || event.type !== "text.delta" || last.itemId !== event.itemId)
      return false;
    this.#waiting[this.#waiting.length - 1] = { ...last, delta: last.delta + event.delta };
    return true;
  }
}

/** Rough: characters of what can grow without bound. */
function sizeOf(event: TurnEvent): number {
  if ("delta" in event) return event.delta.length;
  return event.type === "item.completed" ? JSON.stringify(event.item).length : 64;
}
