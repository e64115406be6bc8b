import type { MessagePort } from "node:worker_threads";
import { limits } from "../contract/limits.js";
import type { TurnEvent, TurnPortOutput } from "../contract/turn-messages.js";

/**
 * Sends a turn's events to the supervisor in batches, as far as its credit goes. Without credit it joins deltas of the same
 * item, so that a slow reader costs the text it has not read and no more.
 */
export class TurnOutbox {
  readonly #port: MessagePort;
  readonly #onOverflow: () => void;
  #waiting: TurnEvent[] = [];
  #waitingBytes = 0;
  #credit: number = limits.turnCreditBatches;
  #flush: NodeJS.Immediate | null = null;
  #ended = false;

  constructor(port: MessagePort, onOverflow: () => void) {
    this.#port = port;
    this.#onOverflow = onOverflow;
  }

  push(event: TurnEvent): void {
    if (this.#ended) return;
    if (event.type === "turn.ended") this.#ended = true;
    if (!(this.#credit === 0 && this.#joinToLast(event))) this.#waiting.push(event);
    this.#waitingBytes += sizeOf(event);
    if (!this.#ended && this.#waitingBytes > limits.maxTurnBacklogBytes) this.#onOverflow();
    if (this.#ended) return this.#send();
    // One flush per turn of the event loop: what one read of the socket brought goes in one message.
    this.#flush ??= setImmediate(this.#send);
  }

  addCredit(batches: number): void {
    this.#credit += batches;
    if (this.#waiting.length > 0) this.#flush ??= setImmediate(this.#send);
  }

  readonly #send = (): void => {
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    // The terminal event needs no credit: whoever stopped reading must still learn that it is over.
    if (this.#waiting.length === 0 || (this.#credit === 0 && !this.#ended)) return;
    const message: TurnPortOutput = { type: "events", events: this.#waiting };
    this.#waiting = [];
    this.#waitingBytes = 0;
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
