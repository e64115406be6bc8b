import { randomUUID } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { ToolOutput, TurnEvent, TurnPortNotice } from "../../workers/contract/turn-messages.js";
import { brokeUnderIt, type LegOutcome, TurnChannel } from "./pool/turn-channel.js";
import type { WorkerPool } from "./pool/worker-pool.js";
import type { WorkerSlot } from "./pool/worker-slot.js";
import type { Assignment } from "./turn-assignment.js";
import type {
  IsolatedTurnHandlers,
  QueueWait,
  RequestTarget,
  TokenUsage,
  TurnErrorData,
  TurnStarted,
} from "./types.js";

/** Hears how a leg stands with the backend. */
export interface LegStanding {
  /** Codex took the turn on, or goes on with it: the backend is asked. */
  started(): void;
  /** The backend has taken the leg on: it put something out. */
  accepted(): void;
  /** The backend has not refused it for long. */
  unrefused(): void;
}

/** What is a leg's own. */
export interface Leg {
  readonly queue: QueueWait;
  /** When the caller's own time for it is over, as `performance.now()` counts. Default: never. */
  readonly deadlineAtMs?: number | undefined;
  readonly standing: LegStanding;
}

/** The leg is the first one. */
interface TurnSessionOptions extends Leg {
  readonly assignment: Assignment;
  readonly slot: WorkerSlot;
  readonly target: RequestTarget;
  /** Whose turn it is; null: nobody's. */
  readonly owner: string | null;
  readonly caller: string;
  /** Ceiling of one leg, in milliseconds. */
  readonly timeoutMs: number;
  /** Called once, when Codex took the turn on or the attempt ended before: the start gate opens for the next. */
  readonly onLeftGate: () => void;
  /** What Codex says beside the turn's events. */
  readonly onNotice: (notice: TurnPortNotice["type"]) => void;
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
  /** What the caller's code threw, if that ended the turn. */
  readonly handlerError: unknown;
}

/**
 * A backend refuses at once, and Codex asks again before it tells: after the `Retry-After` of the refusal, or some seconds. A turn
 * that was not refused for so long after its start is taken to think, in milliseconds.
 */
const unrefusedMs = 30_000;

const callersTimeOver: TurnErrorData = {
  code: "turn_timeout",
  message: "The turn did not finish within the time that its caller gave it.",
};

function ranTooLong(timeoutMs: number): TurnErrorData {
  return { code: "turn_timeout", message: `The turn ran longer than ${timeoutMs} ms.` };
}

/**
 * One native turn on one worker, from its start to its terminal event. Where the model calls functions of the caller's, the
 * turn has several legs: each ends parked, and the next begins with the functions' outputs. No method rejects.
 */
export class TurnSession {
  /** False where the assignment could not be handed to the worker, which knows nothing of this turn then. */
  readonly begun: boolean;
  readonly #options: TurnSessionOptions;
  readonly #channel: TurnChannel;
  #started: TurnStarted | null = null;
  #handlers: IsolatedTurnHandlers = {};
  #usage: TokenUsage | null = null;
  #firstEventAtMs: number | null = null;
  #acceptance: NodeJS.Timeout | null = null;
  #leg: Leg;
  /** Settles when the worker is done with the turn: its native thread is unloaded then, or kept. */
  #left: Promise<void> = Promise.resolve();
  #isLeaving = false;

  constructor(pool: WorkerPool, options: TurnSessionOptions) {
    this.#options = options;
    const { slot, assignment, onNotice } = options;
    this.#leg = options;
    const { port1, port2 } = new MessageChannel();
    this.#channel = new TurnChannel(port1, this.#onEvent, onNotice);
    this.begun = this.#channel.begin({ ...assignment, turnKey: randomUUID() });
    if (!this.begun) return;
    const task = { kind: "turn", port: port2, workerGeneration: slot.generation } as const;
    // A thread that dies closes the port too, and the channel then ends the turn after what had arrived before.
    this.#left = pool.run(slot.threadId, task, [port2]).catch(() => port1.close());
  }

  /** The first leg. */
  run(handlers: IsolatedTurnHandlers): Promise<LegResult> {
    return this.#follow(handlers, () => this.#channel.leg);
  }

  /** The leg after a parked one. */
  resume(outputs: readonly ToolOutput[], handlers: IsolatedTurnHandlers, leg: Leg): Promise<LegResult> {
    this.#leg = leg;
    return this.#follow(handlers, () => {
      this.#noteAsking();
      try {
        if (this.#started !== null) {
          this.#started = { ...this.#started, queue: leg.queue };
          handlers.onTurnStarted?.(this.#started);
        }
      } catch (error) {
        this.#channel.stop(error);
      }
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

  get caller(): string {
    return this.#options.caller;
  }

  get assignment(): Assignment {
    return this.#options.assignment;
  }

  cancel(): void {
    this.#channel.cancel();
  }

  /** It is over and not to go on: its thread is on its way out. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.slot.awaitThreadOf(this.#left);
  }

  async #follow(handlers: IsolatedTurnHandlers, outcomeOf: () => Promise<LegOutcome>): Promise<LegResult> {
    const { slot, timeoutMs, onLeftGate } = this.#options;
    const { deadlineAtMs = Number.POSITIVE_INFINITY } = this.#leg;
    const { signal } = handlers;
    this.#handlers = handlers;
    this.#usage = null;
    this.#firstEventAtMs = null;
    const startedAtMs = performance.now();
    const leftMs = Math.max(0, deadlineAtMs - startedAtMs);
    const ceiling = setTimeout(
      () => {
        this.#channel.cancel();
        this.#channel.fail(leftMs < timeoutMs ? callersTimeOver : ranTooLong(timeoutMs));
      },
      Math.min(timeoutMs, leftMs),
    );
    const onAbort = () => this.cancel();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    slot.activeTurns += 1;
    try {
      const outcome = await outcomeOf();
      const forgetError = brokeUnderIt(outcome) ? this.#forget() : undefined;
      return {
        outcome,
        started: this.#started,
        usage: this.#usage,
        emitted: this.#firstEventAtMs !== null,
        firstEventMs: this.#firstEventAtMs === null ? null : this.#firstEventAtMs - startedAtMs,
        durationMs: performance.now() - startedAtMs,
        handlerError: this.#channel.handlerError ?? forgetError,
      };
    } finally {
      slot.activeTurns -= 1;
      clearTimeout(ceiling);
      if (this.#acceptance !== null) clearTimeout(this.#acceptance);
      signal?.removeEventListener("abort", onAbort);
      onLeftGate();
    }
  }

  /** Answers what the caller's code threw. */
  #forget(): unknown {
    if (this.#handlers.onForget === undefined) return undefined;
    this.#firstEventAtMs = null;
    try {
      this.#handlers.onForget();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #noteAsking(): void {
    const { standing } = this.#leg;
    standing.started();
    this.#acceptance = setTimeout(() => standing.unrefused(), unrefusedMs);
  }

  readonly #onEvent = (event: TurnEvent): void | Promise<void> => {
    switch (event.type) {
      case "turn.started": {
        this.#options.onLeftGate();
        const { threadId, turnId, model } = event;
        const { target } = this.#options;
        const { form: promptForm } = this.assignment.thread;
        this.#started = { threadId, turnId, model, promptForm, target, queue: this.#leg.queue };
        this.#noteAsking();
        return this.#handlers.onTurnStarted?.(this.#started);
      }
      case "model_call.completed":
        this.#usage = addUsage(this.#usage, event.usage);
        return this.#handlers.onEvent?.(event);
      default:
        if (this.#firstEventAtMs === null) this.#leg.standing.accepted();
        this.#firstEventAtMs ??= performance.now();
        return this.#handlers.onEvent?.(event);
    }
  };
}

/** Sums what several model calls of one turn used; null stands for "not reported". */
function addUsage(sum: TokenUsage | null, more: TokenUsage | null): TokenUsage | null {
  if (sum === null || more === null) return sum ?? more;
  return {
    inputTokens: sum.inputTokens + more.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + more.cachedInputTokens,
    cacheWriteInputTokens: sum.cacheWriteInputTokens + more.cacheWriteInputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    reasoningOutputTokens: sum.reasoningOutputTokens + more.reasoningOutputTokens,
    totalTokens: sum.totalTokens + more.totalTokens,
  };
}
