import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { TurnErrorData } from "../../workers/contract/errors.js";
import { limits } from "../../workers/contract/limits.js";
import { addUsage, type TurnAssignment } from "../../workers/contract/turn.js";
import type {
  ToolOutput,
  TurnEvent,
  TurnOutcome,
  TurnPortInput,
  TurnPortNotice,
  TurnPortOutput,
} from "../../workers/contract/turn-messages.js";
import { createDeferred, watchLimits } from "../../workers/contract/wait.js";
import type { WorkerPool } from "../codex/workers/worker-pool.js";
import type { WorkerSlot } from "../codex/workers/worker-slot.js";
import type {
  IsolatedTurnHandlers,
  QueueWait,
  RequestTarget,
  TokenUsage,
  TurnStarted,
} from "../runtime/types.js";
import type { Permit } from "./admission/admission.js";
import { copyChunks, type TurnRequest } from "./turn-assignment.js";

/** How one segment of a turn ended: with the turn, or with the model's wait for outputs of the caller's functions. */
export type SegmentOutcome = TurnOutcome | { readonly status: "parked"; readonly callIds: readonly string[] };

export interface SegmentResult {
  readonly outcome: SegmentOutcome;
  readonly started: TurnStarted | null;
  /** Of this segment's model calls. */
  readonly usage: TokenUsage | null;
  /** From the segment's start to the first output of the model, in milliseconds; null if there was none. */
  readonly firstEventMs: number | null;
  readonly durationMs: number;
  /** True once any output of the model was handed on in this segment: such a turn is not run again. */
  readonly emitted: boolean;
  /** What the caller's code threw, if that ended the turn. */
  readonly handlerError: unknown;
}

/** What a segment has of its turn's permit: each segment waits for one of its own. */
export type SegmentPermit = Pick<Permit<unknown>, "waitedMs" | "refusals" | "deadlineAtMs" | "seat">;

interface TurnSessionOptions {
  readonly assignment: TurnAssignment;
  readonly slot: WorkerSlot;
  readonly target: RequestTarget;
  readonly effort: string | null;
  readonly request: Pick<TurnRequest, "owner" | "caller">;
  /** Of the first segment. */
  readonly permit: SegmentPermit;
  /** Longest time of one segment, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when Codex took the turn on or a segment ended: the start gate opens for the next turn. */
  readonly onLeftGate: () => void;
  /** Called with what Codex reports beside the turn's events. */
  readonly onNotice: (notice: TurnPortNotice["type"]) => void;
  /** Called when the backend took the turn on, or has not refused it for long: there may be room for another. */
  readonly onRoom: () => void;
}

/** Well below the batches that a worker may send without credit, so that it does not wait for credit that is due. */
const creditedAtOnce = limits.turnCreditBatches / 4;

/**
 * A backend refuses at once, but Codex asks again before it reports that: after the `Retry-After` of the refusal, or some seconds. A turn
 * that was not refused for so long after its start is taken to think, in milliseconds.
 */
const unrefusedMs = 30_000;

const workerGone: TurnOutcome = {
  status: "failed",
  error: {
    code: "native_runtime_unavailable",
    message: "The worker thread that ran the turn is gone.",
    retryAfterMs: 1000,
    infrastructure: true,
  },
};

/** Infrastructure failure, not the request's fault. */
export function isInfrastructureFault({ outcome }: Pick<SegmentResult, "outcome">): boolean {
  return outcome.status === "failed" && outcome.error.infrastructure === true;
}

/**
 * One native turn on one worker, from its start to its terminal event. Where the model calls functions of the caller's, the
 * turn has several segments: each ends parked, and the next begins with the functions' outputs. Delivers the worker's events in order,
 * one at a time, and gives it credit for each batch that was taken. Each segment settles exactly once, whatever dies on the other side.
 * No method rejects.
 */
export class TurnSession {
  readonly assignment: TurnAssignment;
  readonly slot: WorkerSlot;
  readonly target: RequestTarget;
  /** Who may resume the turn; null: any caller. */
  readonly owner: string | null;
  readonly caller: string;
  readonly #options: TurnSessionOptions;
  readonly #port: MessagePort;
  readonly #batches: (readonly TurnEvent[])[] = [];
  #state: "open" | "parked" | "ended" = "open";
  #outcome = createDeferred<SegmentOutcome>();
  #isDelivering = false;
  /** Batches that were taken and not credited yet. */
  #taken = 0;
  #isPortClosed = false;
  #permit: SegmentPermit;
  #handlers: IsolatedTurnHandlers = {};
  /** What the caller's code threw, if that is why the turn was cancelled. */
  #handlerError: unknown;
  #started: TurnStarted | null = null;
  #usage: TokenUsage | null = null;
  #firstEventAtMs: number | null = null;
  #stopAwaitingRefusal = (): void => {};
  /** Settles when the worker is done with the turn: its native thread is unloaded then, or kept. */
  readonly #left: Promise<void>;
  #isLeaving = false;

  constructor(pool: WorkerPool, options: TurnSessionOptions) {
    const { slot, assignment, target, request } = options;
    this.#options = options;
    this.#permit = options.permit;
    this.assignment = assignment;
    this.slot = slot;
    this.target = target;
    this.owner = request.owner;
    this.caller = request.caller;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on("message", this.#onMessage);
    port1.on("close", this.#onClose);
    const items = copyChunks(assignment.items);
    const buffers = items.map(({ json }) => json.buffer).filter((buffer) => buffer instanceof ArrayBuffer);
    this.#post({ type: "assignment", assignment: { ...assignment, items } }, buffers);
    const task = { kind: "turn", port: port2, workerGeneration: slot.generation } as const;
    // A thread that dies closes the port too, which ends the turn after the events that had arrived before.
    this.#left = pool.run(slot.threadId, task, [port2]).catch(() => port1.close());
  }

  /** The first segment, and what all have in common. */
  async run(handlers: IsolatedTurnHandlers): Promise<SegmentResult> {
    const { slot } = this;
    const { timeoutMs, onLeftGate } = this.#options;
    if (this.#state === "parked") {
      this.#state = "open";
      this.#outcome = createDeferred();
    }
    this.#handlers = handlers;
    this.#usage = null;
    this.#firstEventAtMs = null;
    const startedAtMs = performance.now();
    const leftMs = Math.max(0, (this.#permit.deadlineAtMs ?? Number.POSITIVE_INFINITY) - startedAtMs);
    const releaseSignal = watchLimits({ signal: handlers.signal }, () => this.cancel());
    const releaseDeadline = watchLimits({ timeoutMs: Math.min(timeoutMs, leftMs) }, () => {
      this.cancel();
      const message =
        leftMs < timeoutMs
          ? "The turn did not finish within the time that its caller gave it."
          : `The turn ran longer than ${timeoutMs} ms.`;
      this.#end({ status: "failed", error: { code: "turn_timeout", message } });
    });
    slot.activeTurns += 1;
    try {
      const outcome = await this.#outcome.promise;
      const forgetError = isInfrastructureFault({ outcome }) ? this.#forget() : undefined;
      return {
        outcome,
        started: this.#started,
        usage: this.#usage,
        emitted: this.#firstEventAtMs !== null,
        firstEventMs: this.#firstEventAtMs === null ? null : this.#firstEventAtMs - startedAtMs,
        durationMs: performance.now() - startedAtMs,
        handlerError: this.#handlerError ?? forgetError,
      };
    } finally {
      slot.activeTurns -= 1;
      releaseSignal();
      releaseDeadline();
      this.#stopAwaitingRefusal();
      onLeftGate();
    }
  }

  /** The segment after a parked one. A turn that ended while it was parked settles as it ended. */
  resume(
    outputs: readonly ToolOutput[],
    handlers: IsolatedTurnHandlers,
    permit: SegmentPermit,
  ): Promise<SegmentResult> {
    this.#permit = permit;
    const result = this.run(handlers);
    this.#noteAsking();
    try {
      if (this.#started !== null) {
        const thread = { kind: "parked", readyAtMs: performance.now() } as const;
        this.#started = { ...this.#started, queue: queueOf(permit), thread };
        handlers.onTurnStarted?.(this.#started);
      }
    } catch (error) {
      this.#stop(error);
    }
    this.#post({ type: "tool_outputs", outputs });
    return result;
  }

  /** The segment with an error of the infrastructure in the place of its own, which was found to be one. */
  blameInfrastructure(result: SegmentResult, error: TurnErrorData): SegmentResult {
    const forgetError = this.#forget();
    return {
      ...result,
      outcome: { status: "failed", error: { ...error, infrastructure: true } },
      emitted: this.#firstEventAtMs !== null,
      handlerError: result.handlerError ?? forgetError,
    };
  }

  cancel(): void {
    this.#post({ type: "cancel" });
  }

  /** The turn is over and will not be resumed: its thread is being unloaded. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.slot.awaitThreadOf(this.#left);
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
    const { seat } = this.#permit;
    seat.started();
    this.#stopAwaitingRefusal = watchLimits({ timeoutMs: unrefusedMs }, () => {
      seat.unrefused();
      this.#options.onRoom();
    });
  }

  readonly #onMessage = (message: TurnPortOutput | TurnPortNotice): void => {
    if (this.#state === "ended") return;
    if (message.type !== "events") return this.#options.onNotice(message.type);
    this.#batches.push(message.events);
    if (!this.#isDelivering) void this.#deliver();
  };

  async #deliver(): Promise<void> {
    this.#isDelivering = true;
    try {
      for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
        for (const event of batch) {
          if (this.#state === "ended") return;
          if (event.type === "turn.ended") return this.#end(event.outcome);
          const held = this.#take(event);
          if (held !== undefined) await held;
        }
        this.#giveCredit();
      }
      if (this.#isPortClosed) this.#end(workerGone);
    } catch (error) {
      this.#stop(error);
    } finally {
      this.#isDelivering = false;
    }
  }

  /** A returned promise holds the next event back. */
  #take(event: TurnEvent): void | Promise<void> {
    switch (event.type) {
      case "turn.started":
        return this.#noteStarted(event);
      case "turn.parked":
        this.#state = "parked";
        return this.#outcome.resolve({ status: "parked", callIds: event.callIds });
      case "model_call.completed":
        this.#usage = addUsage(this.#usage, event.usage);
        return this.#handlers.onEvent?.(event);
      default:
        if (this.#firstEventAtMs === null) {
          this.#firstEventAtMs = performance.now();
          this.#permit.seat.accepted();
          this.#options.onRoom();
        }
        return this.#handlers.onEvent?.(event);
    }
  }

  #noteStarted(event: Extract<TurnEvent, { readonly type: "turn.started" }>): void {
    const { threadId, turnId, model, thread } = event;
    const { target, assignment } = this;
    const { effort, onLeftGate } = this.#options;
    onLeftGate();
    this.#started = {
      threadId,
      turnId,
      model,
      promptForm: assignment.thread.form,
      effort,
      target,
      queue: queueOf(this.#permit),
      // The worker's clock began at another time.
      ...(thread !== undefined && {
        thread: { kind: threadKinds[thread.kind], readyAtMs: performance.now() - thread.readyMs },
      }),
    };
    this.#noteAsking();
    this.#handlers.onTurnStarted?.(this.#started);
  }

  readonly #onClose = (): void => {
    this.#isPortClosed = true;
    // What arrived before the thread died is still to be delivered; #deliver ends the turn after it.
    if (!this.#isDelivering) this.#end(workerGone);
  };

  #post(message: TurnPortInput, transfer: ArrayBuffer[] = []): void {
    if (this.#state !== "ended" && !this.#isPortClosed) this.#port.postMessage(message, transfer);
  }

  /** Not for each batch: a message to the worker costs as much as a batch does. */
  #giveCredit(): void {
    this.#taken += 1;
    if (this.#taken < creditedAtOnce) return;
    this.#post({ type: "credit", batches: this.#taken });
    this.#taken = 0;
  }

  /** Ends the turn because its caller's code threw this. */
  #stop(handlerError: unknown): void {
    this.#handlerError = handlerError;
    this.cancel();
    this.#end({ status: "cancelled" });
  }

  #end(outcome: TurnOutcome): void {
    if (this.#state === "ended") return;
    // Nothing waits for the outcome of a parked turn: the caller that resumes it gets this one.
    if (this.#state === "parked") this.#outcome = createDeferred();
    this.#state = "ended";
    this.#batches.length = 0;
    this.#port.off("message", this.#onMessage);
    this.#port.off("close", this.#onClose);
    this.#port.close();
    this.#outcome.resolve(outcome);
  }
}

const threadKinds = { fresh: "new", spare: "spare", continued: "loaded" } as const;

function queueOf({ waitedMs, refusals }: SegmentPermit): QueueWait {
  return { waitedMs, refusals };
}
