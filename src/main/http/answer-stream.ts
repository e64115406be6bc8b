import type { FastifyReply } from "fastify";
import type { TurnEnd } from "./follow-turn.js";
import type { RouteContext } from "./server-options.js";
import { SseWriter } from "./sse-writer.js";
import { cutStalledReader } from "./stalled-reader.js";

/** Takes the answer out of fastify's hands and begins a stream of events. Sends the headers. */
export function openSseWriter(reply: FastifyReply, { keepAliveCommentMs, limits }: RouteContext): SseWriter {
  reply.hijack();
  cutStalledReader(reply.raw, limits);
  return new SseWriter(reply.raw, { headers: reply.getHeaders(), keepAliveCommentMs });
}

/** What a dialect's events mean to the head of its stream. */
export interface AnswerStreamOptions<Part> {
  readonly encode: (parts: readonly Part[]) => string;
  /** Says only that the turn has begun. */
  readonly isPreamble: (part: Part) => boolean;
  /** Says that it failed. */
  readonly isFailure: (part: Part) => boolean;
  /** Longest time from the turn's admission to the head, in milliseconds; 0: the head does not wait for output. */
  readonly holdMs: number;
}

/**
 * An answer that becomes a stream with the first output of the model. Until then its head is held back with the events before it:
 * a turn that fails so early is answered with the status of its error, which clients retry, as they never do after a 200.
 */
export class AnswerStream<Part> {
  readonly #reply: FastifyReply;
  readonly #context: RouteContext;
  readonly #options: AnswerStreamOptions<Part>;
  #held = "";
  #timer: NodeJS.Timeout | null = null;
  #writer: SseWriter | null = null;

  constructor(reply: FastifyReply, context: RouteContext, options: AnswerStreamOptions<Part>) {
    this.#reply = reply;
    this.#context = context;
    this.#options = options;
  }

  /** Whether the head is out, so that whatever happens must be told in the stream. */
  get isOpen(): boolean {
    return this.#writer !== null;
  }

  /** Takes events in order. The promise, where there is one, settles when the client has taken enough. */
  readonly sink = (parts: readonly Part[]): undefined | Promise<void> => {
    if (parts.length === 0) return undefined;
    const { encode } = this.#options;
    if (this.#writer !== null) return this.#writer.write(encode(parts));
    this.#held += encode(parts);
    return this.#isReason(parts) ? this.#open() : undefined;
  };

  /** Once the turn has left the queue the head is not held for longer than `holdMs`; back in the queue it is held again. */
  readonly noteAdmission = (isAdmitted: boolean): void => {
    const { holdMs } = this.#options;
    if (this.isOpen) return;
    if (!isAdmitted) this.#stopTimer();
    else if (holdMs === 0) void this.#open();
    else this.#timer ??= setTimeout(() => void this.#open(), holdMs);
  };

  /** Ends the answer after its turn. Throws the turn's error where its head was never sent: it is the answer. */
  async settle(end: TurnEnd, clientLeft: boolean, lastText = ""): Promise<void> {
    this.#stopTimer();
    if (this.#writer === null && !end.ok && !clientLeft) throw end.error;
    // A client that has left gets no head; the answer is still taken out of fastify's hands.
    if (this.#writer === null && clientLeft) {
      this.#reply.hijack();
      return;
    }
    if (this.#writer === null) void this.#open();
    if (end.ok) void this.#writer?.write(lastText);
    await this.#writer?.end();
  }

  #isReason(parts: readonly Part[]): boolean {
    const { isFailure, isPreamble } = this.#options;
    return !parts.some(isFailure) && !parts.every(isPreamble);
  }

  #open(): undefined | Promise<void> {
    this.#stopTimer();
    const text = this.#held;
    this.#held = "";
    this.#writer = openSseWriter(this.#reply, this.#context);
    // Node sends a head with the first byte of the body; there may be none for long.
    if (text === "") this.#reply.raw.flushHeaders();
    return this.#writer.write(text);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
