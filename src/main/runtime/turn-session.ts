import { randomUUID } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { TurnAssignment } from "../../workers/contract/turn.js";
import type { ToolOutput, TurnEvent } from "../../workers/contract/turn-messages.js";
import { brokeUnderIt, type LegOutcome, TurnChannel } from "./pool/turn-channel.js";
import type { WorkerPool } from "./pool/worker-pool.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { IsolatedTurnHandlers, RequestTarget, TokenUsage, TurnStarted } from "./types.js";
import { addUsage } from "./usage.js";

export interface TurnSessionOptions {
  readonly assignment: Omit<TurnAssignment, "turnKey">;
  readonly slot: WorkerSlot;
  readonly target: RequestTarget;
  /** Whose turn it is; null: nobody's. */
  readonly owner: string | null;
  /** Ceiling of one leg, in milliseconds. */
  readonly timeoutMs: number;
  /** Called once, when Codex took the turn on or the attempt ended before: the start gate opens for the next. */
  readonly onLeftGate: () => void;
}

export interface LegResult {
  readonly outcome: LegOutcome;
  readonly started: TurnStarted | null;
  /** Of this leg's model calls. */
  readonly usage: TokenUsage | null;
  /** From the leg's start to the first output of the model, in milliseconds; null if there was none. */
  readonly firstEventMs: number | null;
  readonly durationMs: number;
  /** True once any output of the model was handed on in this leg: such a turn is not run again. */
  readonly emitted: boolean;
  /** What the event handler threw, if that ended the turn. */
  readonly handlerError: unknown;
}

/** Beyond the worker's own idle limit, in milliseconds: the worker is then believed hung. */
const workerSilenceMarginMs = 15_000;

/**
 * One native turn on one worker, from its start to its terminal event. Where the model calls functions of the caller's, the
 * turn has several legs: each ends parked, and the next begins with the functions' outputs. No method rejects.
 */
export class TurnSession {
  readonly #options: TurnSessionOptions;
  readonly #channel: TurnChannel;
  #started: TurnStarted | null = null;
  #handlers: IsolatedTurnHandlers = {};
  #usage: TokenUsage | null = null;
  #firstEventAtMs: number | null = null;
  #silence: NodeJS.Timeout | null = null;

  constructor(pool: WorkerPool, options: TurnSessionOptions) {
    this.#options = options;
    const { slot, assignment } = options;
    const { port1, port2 } = new MessageChannel();
    this.#channel = new TurnChannel(port1, this.#onEvent);
    const task = {
      kind: "turn",
      port: port2,
      workerGeneration: slot.generation,
      assignment: { ...assignment, turnKey: randomUUID() },
    } as const;
    // A thread that dies closes the port too, and the channel then ends the turn after what had arrived before.
    pool.run(slot.threadId, task, [port2]).catch(() => port1.close());
  }

  /** The first leg. */
  run(handlers: IsolatedTurnHandlers): Promise<LegResult> {
    return this.#follow(handlers, () => this.#channel.leg);
  }

  /** The leg after a parked one. */
  resume(outputs: readonly ToolOutput[], handlers: IsolatedTurnHandlers): Promise<LegResult> {
    return this.#follow(handlers, () => {
      if (this.#started !== null) handlers.onTurnStarted?.(this.#started);
      return this.#channel.resume(outputs);
    });
  }

  get slot(): WorkerSlot {
    return this.#options.slot;
  }

  get target(): RequestTarget {
    return this.#options.target;
  }

  get owner(): string | null {
    return this.#options.owner;
  }

  get assignment(): Omit<TurnAssignment, "turnKey"> {
    return this.#options.assignment;
  }

  cancel(): void {
    this.#channel.cancel();
  }

  async #follow(handlers: IsolatedTurnHandlers, leg: () => Promise<LegOutcome>): Promise<LegResult> {
    const { slot, timeoutMs, assignment, onLeftGate } = this.#options;
    const { signal } = handlers;
    this.#handlers = handlers;
    this.#usage = null;
    this.#firstEventAtMs = null;
    const startedAtMs = performance.now();
    const silence = setTimeout(() => {
      // A handler that holds an event back is the reader's slowness and not the worker's.
      if (this.#channel.held) silence.refresh();
      else this.#channel.fail(workerSilent);
    }, assignment.idleTimeoutMs + workerSilenceMarginMs);
    this.#silence = silence;
    const ceiling = setTimeout(() => {
      this.#channel.cancel();
      this.#channel.fail({ code: "turn_timeout", message: `The turn ran longer than ${timeoutMs} ms.` });
    }, timeoutMs);
    const onAbort = () => this.cancel();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    slot.activeTurns += 1;
    try {
      const outcome = await leg();
      if (brokeUnderIt(outcome) && handlers.onForget !== undefined) this.#forget(handlers.onForget);
      const handlerError = this.#channel.handlerError;
      return {
        outcome,
        started: this.#started,
        usage: this.#usage,
        emitted: this.#firstEventAtMs !== null,
        firstEventMs: this.#firstEventAtMs === null ? null : this.#firstEventAtMs - startedAtMs,
        durationMs: performance.now() - startedAtMs,
        handlerError,
      };
    } finally {
      slot.activeTurns -= 1;
      clearTimeout(silence);
      clearTimeout(ceiling);
      signal?.removeEventListener("abort", onAbort);
      this.#silence = null;
      onLeftGate();
    }
  }

  #forget(onForget: () => void): void {
    this.#firstEventAtMs = null;
    onForget();
  }

  readonly #onEvent = (event: TurnEvent): void | Promise<void> => {
    this.#silence?.refresh();
    switch (event.type) {
      case "turn.started": {
        this.#options.onLeftGate();
        const { threadId, turnId, model } = event;
        this.#started = { threadId, turnId, model, target: this.#options.target };
        return this.#handlers.onTurnStarted?.(this.#started);
      }
      case "model_call.completed":
        this.#usage = addUsage(this.#usage, event.usage);
        return this.#handlers.onEvent?.(event);
      default:
        this.#firstEventAtMs ??= performance.now();
        return this.#handlers.onEvent?.(event);
    }
  };
}

const workerSilent = {
  code: "turn_stalled",
  message: "The worker thread that ran the turn stopped answering.",
  infrastructure: true,
} as const;
