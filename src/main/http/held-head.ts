import { watchLimits } from "../../workers/contract/wait.js";
import type { SentAnswer } from "../dialects/dialect.js";
import type { EventSink } from "../exchange/exchange.js";

/**
 * Holds the beginning of an answer back until the first output of the model: a turn that fails so early is answered with the status of
 * its error. Clients retry such an answer, and never one that has begun.
 */
export class HeldHead {
  readonly #answer: Pick<SentAnswer, "kindOf">;
  readonly #holdMs: number;
  readonly #send: EventSink;
  #held: unknown[] = [];
  #endHold: (() => void) | null = null;
  #isOpen = false;

  /** `send` gets the events that were held, maybe none, and from then on all as they come. `holdMs`: from the turn's admission; 0: no hold. */
  constructor(answer: Pick<SentAnswer, "kindOf">, holdMs: number, send: EventSink) {
    this.#answer = answer;
    this.#holdMs = holdMs;
    this.#send = send;
  }

  /** Whether the answer has begun. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes events in order. The promise, where there is one, settles when the client has taken enough. */
  push(events: readonly unknown[]): void | Promise<void> {
    if (this.#isOpen) return this.#send(events);
    this.#held.push(...events);
    const kinds = events.map((event) => this.#answer.kindOf(event));
    const hasOutput = !kinds.includes("failure") && kinds.includes("output");
    return hasOutput ? this.open() : undefined;
  }

  /** The hold begins when the turn leaves the queue. A turn that is back in the queue has no limit. */
  noteAdmission(isAdmitted: boolean): void {
    if (this.#isOpen) return;
    if (!isAdmitted) this.stop();
    else if (this.#holdMs === 0) void this.open();
    else this.#endHold ??= watchLimits({ timeoutMs: this.#holdMs }, () => void this.open());
  }

  /** Begins the answer now. */
  open(): void | Promise<void> {
    this.stop();
    if (this.#isOpen) return undefined;
    const held = this.#held;
    this.#held = [];
    this.#isOpen = true;
    return this.#send(held);
  }

  /** The hold never ends by itself from here on. */
  stop(): void {
    this.#endHold?.();
    this.#endHold = null;
  }
}
