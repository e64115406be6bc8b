import type { MessagePort } from "node:worker_threads";
import type { TurnErrorData } from "../../../workers/contract/errors.js";
import { countItems, type ItemChunk } from "../../../workers/contract/item-chunk.js";
import { limits } from "../../../workers/contract/limits.js";
import type { TurnAssignment } from "../../../workers/contract/turn.js";
import type {
  ToolOutput,
  TurnEvent,
  TurnOutcome,
  TurnPortInput,
  TurnPortNotice,
  TurnPortOutput,
} from "../../../workers/contract/turn-messages.js";

/** Well below what a worker may have under way, which would otherwise wait for credit that is due. */
const creditedAtOnce = limits.turnCreditBatches / 4;

export type TurnEventHandler = (event: TurnEvent) => void | Promise<void>;

/** How one stretch of a turn ended: the turn itself, or the model's wait for outputs of the caller's functions. */
export type LegOutcome = TurnOutcome | { readonly status: "parked"; readonly callIds: readonly string[] };

/** Whether the ground under the turn broke, and not the turn. */
export function brokeUnderIt(outcome: LegOutcome): boolean {
  return outcome.status === "failed" && outcome.error.infrastructure === true;
}

/**
 * The supervisor's end of a turn's port. Delivers events in order, one at a time, and gives the worker credit for each batch
 * that was taken; each leg settles exactly once, whatever dies on the other side.
 */
export class TurnChannel {
  readonly #port: MessagePort;
  readonly #batches: (readonly TurnEvent[])[] = [];
  readonly #onEvent: TurnEventHandler;
  readonly #onNotice: (notice: TurnPortNotice["type"]) => void;
  #leg: Promise<LegOutcome>;
  #settle: (outcome: LegOutcome) => void = () => {};
  #state: "open" | "parked" | "ended" = "open";
  #delivering = false;
  /** Batches that were taken and not credited yet. */
  #taken = 0;
  #portClosed = false;
  #handlerError: unknown;

  constructor(
    port: MessagePort,
    onEvent: TurnEventHandler,
    onNotice: (notice: TurnPortNotice["type"]) => void = () => {},
  ) {
    this.#port = port;
    this.#onEvent = onEvent;
    this.#onNotice = onNotice;
    this.#leg = this.#nextLeg();
    port.on("message", this.#onMessage);
    port.on("close", this.#onClose);
  }

  /** How the leg under way ends. */
  get leg(): Promise<LegOutcome> {
    return this.#leg;
  }

  /** Tells the worker what to run. False where that cannot be handed to another thread: the turn has ended then. */
  begin(assignment: TurnAssignment): boolean {
    const items = copyChunks(assignment.items);
    const bytes = items.map(({ json }) => json.buffer);
    return this.#hand({ type: "assignment", assignment: { ...assignment, items } }, bytes);
  }

  /** Gives a parked turn the outputs it waits for. A turn that ended while it was parked says so. */
  resume(outputs: readonly ToolOutput[]): Promise<LegOutcome> {
    if (this.#state === "parked") {
      this.#state = "open";
      this.#leg = this.#nextLeg();
      this.#hand({ type: "tool_outputs", outputs });
    }
    return this.#leg;
  }

  #nextLeg(): Promise<LegOutcome> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** What the event handler threw, if that is why the turn was cancelled. */
  get handlerError(): unknown {
    return this.#handlerError;
  }

  /** True while the handler holds an event back: silence is then the reader's and not the worker's. */
  get held(): boolean {
    return this.#delivering;
  }

  cancel(): void {
    this.#post({ type: "cancel" });
  }

  /** Ends the turn because its caller's code threw this. */
  stop(handlerError: unknown): void {
    this.#handlerError = handlerError;
    this.cancel();
    this.#end({ status: "cancelled" });
  }

  /** Ends the turn from this side, when the worker's word can no longer be waited for. */
  fail(error: TurnErrorData): void {
    this.#end({ status: "failed", error });
  }

  readonly #onMessage = (message: TurnPortOutput | TurnPortNotice): void => {
    if (this.#state === "ended") return;
    if (message.type !== "events") return this.#onNotice(message.type);
    this.#batches.push(message.events);
    if (!this.#delivering) void this.#deliver();
  };

  async #deliver(): Promise<void> {
    this.#delivering = true;
    try {
      for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
        for (const event of batch) {
          if (this.#state === "ended") return;
          if (event.type === "turn.ended") return this.#end(event.outcome);
          if (event.type === "turn.parked") {
            this.#park(event.callIds);
            continue;
          }
          const held = this.#onEvent(event);
          if (held !== undefined) await held;
        }
        this.#giveCredit();
      }
      if (this.#portClosed) this.#end(workerGone);
    } catch (error) {
      this.stop(error);
    } finally {
      this.#delivering = false;
    }
  }

  readonly #onClose = (): void => {
    this.#portClosed = true;
    // What arrived before the thread died is still to be delivered; #deliver ends the turn after it.
    if (!this.#delivering) this.#end(workerGone);
  };

  /** What the caller's code made may hold what no thread can be given: a function, a getter that throws. */
  #hand(message: TurnPortInput, transfer: readonly ArrayBuffer[] = []): boolean {
    try {
      this.#post(message, transfer);
      return true;
    } catch {
      this.cancel();
      this.fail(notJson);
      return false;
    }
  }

  #post(message: TurnPortInput, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#state !== "ended" && !this.#portClosed) this.#port.postMessage(message, [...transfer]);
  }

  /** Not for each batch: a message to the worker costs as much as a batch does. */
  #giveCredit(): void {
    this.#taken += 1;
    if (this.#taken < creditedAtOnce) return;
    this.#post({ type: "credit", batches: this.#taken });
    this.#taken = 0;
  }

  #park(callIds: readonly string[]): void {
    this.#state = "parked";
    this.#settle({ status: "parked", callIds });
  }

  #end(outcome: TurnOutcome): void {
    if (this.#state === "ended") return;
    // Nobody waits on a parked turn's leg: whoever resumes it learns here that it is gone.
    if (this.#state === "parked") this.#leg = Promise.resolve(outcome);
    this.#state = "ended";
    this.#batches.length = 0;
    this.#port.off("message", this.#onMessage);
    this.#port.off("close", this.#onClose);
    this.#port.close();
    this.#settle(outcome);
  }
}

/** Chunks are joined up to this size: a long chain has thousands of a few bytes. */
const joinedBytes = 256 * 1024;

/**
 * Copies to give to the thread: its port takes them without another, where bytes within a message would be copied twice. What is
 * here stays, for a turn that is run again and for the store.
 */
function copyChunks(chunks: readonly ItemChunk[]): readonly ItemChunk[] {
  const copies: ItemChunk[] = [];
  let together: ItemChunk[] = [];
  let bytes = 0;
  const join = () => {
    if (together.length > 0) copies.push(joinChunks(together, bytes));
    together = [];
    bytes = 0;
  };
  for (const chunk of chunks) {
    if (bytes + chunk.json.length > joinedBytes) join();
    together.push(chunk);
    bytes += chunk.json.length + 1;
  }
  join();
  return copies;
}

const comma = 0x2c;

/** @param bytes of all, each with a comma */
function joinChunks(chunks: readonly ItemChunk[], bytes: number): ItemChunk {
  const json = new Uint8Array(bytes - 1);
  let at = 0;
  for (const chunk of chunks) {
    if (at > 0) json[at - 1] = comma;
    json.set(chunk.json, at);
    at += chunk.json.length + 1;
  }
  const traits = chunks.reduce((sum, chunk) => sum | chunk.traits, 0);
  return { json, count: countItems(chunks), traits };
}

const notJson = {
  code: "invalid_request",
  message: "The request holds something that is not JSON, so that it cannot be sent to Codex.",
} as const;

const workerGone: TurnOutcome = {
  status: "failed",
  error: {
    code: "native_runtime_unavailable",
    message: "The worker thread that ran the turn is gone.",
    retryAfterMs: 1000,
    infrastructure: true,
  },
};
