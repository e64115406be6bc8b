import { randomUUID } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import type { ThreadListener } from "../app-server/connection.js";
import { CallTimeoutError } from "../app-server/errors.js";
import type { ThreadNotification, ToolCall, ToolCallAnswer } from "../app-server/protocol.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import { countBytes, countItems } from "../contract/item-chunk.js";
import type { NativeThreadChoice, TurnAssignment } from "../contract/turn.js";
import type {
  ToolOutput,
  TurnEvent,
  TurnOutcome,
  TurnPortInput,
  TurnPortNotice,
} from "../contract/turn-messages.js";
import { createDeferred, watchLimits } from "../contract/wait.js";
import { classifyCallFailure, isRefusal, isUnknownThread, retryWhenOverloaded } from "./call-failure.js";
import { HeldNotifications } from "./held-notifications.js";
import { type StartOptions, startThread, type TurnContext, unloadThread } from "./native-thread.js";
import { SilenceWatch, standingOf, type TurnStanding } from "./silence-watch.js";
import { turnStartParams } from "./thread-params.js";
import { Handover, pacingOf, ToolCalls } from "./tool-calls.js";
import { ToolNames } from "./tool-names.js";
import { heldTooMuchParked, heldTooMuchUnstarted, readerTooSlow, threadClosed } from "./turn-endings.js";
import { type Injection, injectableItems, splitInput } from "./turn-input.js";
import { TurnOutbox } from "./turn-outbox.js";
import { TurnReducer, turnIdOf } from "./turn-reducer.js";

/** Deadlines of the calls a turn makes, in milliseconds. They bound Codex's answers and not the model's. */
const deadlines = {
  connectionReady: 2_000,
  /** All calls that start the turn, together. Or the turn's idle limit, if that is less: no answer is silence too. */
  start: 28_000,
} as const;
/** How long Codex may take to answer a call about one of its turns, and to end one that it was asked to interrupt, in milliseconds. */
const answerTimeoutMs = 5_000;
/** An app-server that answered another call within this time is at work, in milliseconds. */
const answersOthersWithinMs = 10_000;

type Phase =
  /** Thread and turn are being started. */
  | "starting"
  /** The model is at work. */
  | "running"
  /** The model waits for outputs of the caller's functions. */
  | "parked"
  /** Codex was asked to interrupt the turn and has not ended it yet. */
  | "interrupting"
  | "ended";

/** One isolated turn: a native thread of its own from `thread/start` to `thread/unsubscribe`. */
export class NativeTurn implements ThreadListener {
  readonly #assignment: TurnAssignment;
  readonly #port: MessagePort;
  readonly #context: TurnContext;
  readonly #outbox: TurnOutbox;
  readonly #reducer: TurnReducer;
  #toolNames: ToolNames;
  readonly #toolCalls: ToolCalls;
  readonly #abort = new AbortController();
  #phase: Phase = "starting";
  #threadId: string | null = null;
  #turnId: string | null = null;
  /** What came before the answer to `turn/start` gave us the turn's id, or while the turn was parked. */
  readonly #held: HeldNotifications;
  /** What came while the turn was parked was too much and is lost, so that only the turn's end counts. */
  #lostOutput = false;
  readonly #silence: SilenceWatch;
  #startEndsAt = Number.POSITIVE_INFINITY;
  /** How the turn is to end once Codex has interrupted it; null while it was not asked to. */
  #interruptedAs: TurnOutcome | null = null;
  #stopWaiting: () => void = () => {};
  /** When the last notification of the turn came, on the monotonic clock. */
  #notifiedAtMs = 0;
  /** The calls of the last answer are the caller's to answer, and the rest of the turn is dropped. */
  #handover: Handover | null = null;
  /** Stops listening to the native thread. */
  #release: () => void = () => {};
  /** Settles with whether the native thread stays loaded. */
  readonly #finished = createDeferred<boolean>();

  constructor(assignment: TurnAssignment, port: MessagePort, context: TurnContext) {
    this.#assignment = assignment;
    this.#port = port;
    this.#context = context;
    const { items } = assignment;
    this.#held = new HeldNotifications({ count: countItems(items), bytes: countBytes(items) });
    this.#outbox = new TurnOutbox(port, {
      followed: assignment.followed,
      onOverflow: () => this.#interrupt(readerTooSlow),
    });
    this.#silence = new SilenceWatch({
      limitMs: assignment.idleTimeoutMs,
      askCodex: () => this.#askCodex(),
      onCompletionLost: () => {
        context.countFault("turn_completed_lost");
        this.#end(this.#reducer.completedOutcome);
      },
      giveUp: (outcome) => this.#interrupt(outcome),
    });
    this.#toolNames = new ToolNames(assignment.thread, context.connection.codexVersion);
    this.#toolCalls = new ToolCalls({
      pacing: () => pacingOf(context.connection.codexVersion),
      newCallId: () => `call_${randomUUID().replaceAll("-", "")}`,
      silentMs: () => performance.now() - this.#notifiedAtMs,
      onParked: (callIds) => this.#park(callIds),
      onHandedOver: (callIds) => this.#handOver(callIds),
    });
    const hasTools = assignment.thread.tools.length > 0 || assignment.thread.webSearch !== null;
    this.#reducer = new TurnReducer({
      emit: (event) => this.#emit(event),
      toOriginal: (item) => this.#toolNames.toOriginalItem(item),
      declares: (call) => this.#toolNames.declares(call),
      onCall: (item, raw) =>
        this.#toolCalls.expect(item, { canBeAskedFor: this.#toolNames.canBeAskedFor(raw) }),
      onConnectionRefused: () => this.#notify({ type: "connection_refused" }),
      freshThread: assignment.nativeThread.kind !== "continued",
      hasTools,
      phasesFollow: () => hasTools && !isAtLeast(context.connection.codexVersion, 0, 169),
    });
  }

  /** Runs the turn to its one terminal event and leaves the native thread. Never rejects. */
  async run(): Promise<void> {
    this.#port.on("message", this.#onInput);
    this.#port.on("close", () => this.#interrupt({ status: "cancelled" }));
    try {
      await this.#begin();
    } catch (error) {
      if (this.#phase !== "ended") await this.#fail(error);
    }
    if (await this.#finished.promise) this.#release();
    else await this.#leaveThread();
    this.#port.close();
  }

  onNotification(notification: ThreadNotification): void {
    if (this.#phase === "ended") return;
    if (notification.method === "thread/closed") return this.#end(this.#interruptedAs ?? threadClosed);
    if (this.#turnId === null || (this.#phase === "parked" && notification.method !== "turn/completed")) {
      return this.#hold(notification);
    }
    const turnId = turnIdOf(notification);
    // Injected items are echoed under a turn id of their own.
    if (turnId !== null && turnId !== this.#turnId) return;
    this.#notifiedAtMs = performance.now();
    // A notice that Codex asks the model once more is no sign of the model.
    if (notification.method !== "error" || !notification.params.willRetry) {
      this.#silence.heardAtMs = this.#notifiedAtMs;
    }
    if (notification.method === "rawResponseItem/completed" || this.#toolCalls.answeredByCodex) {
      this.#toolCalls.note(notification);
    }
    if (this.#handover !== null || this.#lostOutput) {
      const ending = this.#interruptedAs;
      if (ending !== null && notification.method === "turn/completed") return this.#end(ending);
      if (this.#handover?.note(notification) !== true) return;
    }
    this.#reducer.apply(notification);
    // A sum of tokens alone may be that of an answer which was cut short.
    if (notification.method === "rawResponse/completed") this.#toolCalls.modelCallCompleted();
    const { outcome, earlyOutcome } = this.#reducer;
    if (outcome !== null) this.#end(this.#interruptedAs ?? outcome);
    else if (earlyOutcome !== null) this.#interrupt(earlyOutcome);
  }

  async onToolCall(call: ToolCall): Promise<ToolCallAnswer> {
    this.#silence.heardAtMs = performance.now();
    return this.#toolCalls.open(call.callId);
  }

  onConnectionLost(error: Error): void {
    this.#end({ status: "failed", error: classifyCallFailure(error) });
  }

  async #begin(): Promise<void> {
    const { connection, countFault } = this.#context;
    const { nativeThread, thread } = this.#assignment;
    this.#startEndsAt = this.#startDeadline();
    await connection.whenReady({ timeoutMs: deadlines.connectionReady, signal: this.#abort.signal });
    // Another connection may be to another version.
    this.#toolNames = new ToolNames(thread, connection.codexVersion);
    if (nativeThread.kind !== "fresh") {
      try {
        return await this.#beginOn(nativeThread.threadId, nativeThread);
      } catch (error) {
        if (nativeThread.kind === "continued" || !isRefusal(error)) throw error;
        // Should the request be at fault, the fresh thread refuses it too.
        countFault("spare_thread_refused");
        await this.#leaveThread();
      }
    }
    const threadId = await startThread(this.#context, thread, this.#startOptions());
    return this.#beginOn(threadId, { kind: "fresh" });
  }

  #startOptions(): StartOptions {
    return {
      timeoutMs: Math.max(1, Math.ceil(this.#startEndsAt - performance.now())),
      signal: this.#abort.signal,
      onOverdue: () => this.#notify({ type: "start_overdue" }),
    };
  }

  #notify(notice: TurnPortNotice): void {
    this.#port.postMessage(notice);
  }

  async #fail(error: unknown): Promise<void> {
    const answersOthers =
      error instanceof CallTimeoutError &&
      (await this.#context.connection.answersWithin(answersOthersWithinMs));
    this.#end({ status: "failed", error: classifyCallFailure(error, answersOthers) });
  }

  async #beginOn(threadId: string, nativeThread: NativeThreadChoice): Promise<void> {
    const { connection } = this.#context;
    this.#threadId = threadId;
    const thread = { kind: nativeThread.kind, readyAtMs: performance.now() };
    this.#release = connection.subscribeThread(threadId, this);
    const { text, injection } = splitInput(
      this.#assignment,
      nativeThread,
      this.#toolNames,
      connection.codexVersion,
    );
    await this.#inject(threadId, injection);
    await this.#startTurn(threadId, text, thread);
  }

  async #inject(threadId: string, injection: Injection): Promise<void> {
    const { connection, loopShare } = this.#context;
    for await (const items of injectableItems(injection, this.#toolNames, loopShare.start())) {
      if (this.#phase !== "starting") return;
      await retryWhenOverloaded(this.#abort.signal, () =>
        connection.call("thread/inject_items", { threadId, items }, this.#startOptions()),
      );
      // Each answer shows that Codex is at work: a long history may take any number of calls.
      this.#startEndsAt = this.#startDeadline();
    }
  }

  #startDeadline(): number {
    return performance.now() + Math.min(deadlines.start, this.#assignment.idleTimeoutMs);
  }

  async #leaveThread(): Promise<void> {
    this.#release();
    if (this.#threadId === null) return;
    await unloadThread(this.#context.connection, this.#threadId, this.#context.countFault);
    this.#threadId = null;
  }

  async #startTurn(
    threadId: string,
    text: string | null,
    { kind, readyAtMs }: Pick<NativeThreadChoice, "kind"> & { readonly readyAtMs: number },
  ): Promise<void> {
    const { connection } = this.#context;
    if (this.#phase !== "starting") return;
    const { turn } = await retryWhenOverloaded(this.#abort.signal, () => {
      // Not aborted on cancel: only the answer has the id by which the turn can be interrupted.
      const { timeoutMs, onOverdue } = this.#startOptions();
      return connection.call("turn/start", turnStartParams(threadId, this.#assignment, text), {
        timeoutMs,
        onOverdue,
        // Codex started a turn that this side had given up.
        onLateResult: (late) => void this.#askToInterrupt(threadId, late.turn.id),
      });
    });
    if (this.#phase !== "starting") return void (await this.#askToInterrupt(threadId, turn.id));
    this.#turnId = turn.id;
    const { model } = this.#assignment.thread;
    const thread = { kind, readyMs: performance.now() - readyAtMs };
    this.#emit({ type: "turn.started", threadId, turnId: turn.id, model, thread });
    this.#phase = "running";
    this.#silence.start();
    this.#applyHeld();
  }

  #applyHeld(): void {
    for (const notification of this.#held.take()) this.onNotification(notification);
  }

  #hold(notification: ThreadNotification): void {
    if (this.#held.add(notification)) return;
    this.#context.countFault("held_too_much");
    this.#lostOutput = true;
    this.#interrupt(this.#phase === "parked" ? heldTooMuchParked : heldTooMuchUnstarted);
  }

  readonly #onInput = (message: TurnPortInput): void => {
    switch (message.type) {
      case "cancel":
        return this.#interrupt({ status: "cancelled" });
      case "tool_outputs":
        return this.#resume(message.outputs);
      case "credit":
        return this.#outbox.addCredit(message.batches);
    }
  };

  /** The turn waits for the caller: no time limit of ours runs until it answers. */
  #park(callIds: readonly string[]): void {
    if (this.#phase !== "running") return;
    this.#phase = "parked";
    this.#clearTimers();
    this.#emit({ type: "turn.parked", callIds });
  }

  #resume(outputs: readonly ToolOutput[]): void {
    if (this.#phase !== "parked") return;
    this.#phase = "running";
    this.#silence.start();
    this.#reducer.beginSegment();
    this.#toolCalls.answer(outputs);
    // A model that was not done when the turn was parked has continued since.
    this.#applyHeld();
  }

  #handOver(callIds: readonly string[]): void {
    if (this.#phase !== "running") return;
    this.#handover = new Handover(callIds, pacingOf(this.#context.connection.codexVersion));
    this.#interrupt(this.#handover.outcome);
  }

  /** Ends the turn with this outcome as soon as Codex has ended it; at once where Codex has not started it yet. */
  #interrupt(outcome: TurnOutcome): void {
    if (this.#phase === "interrupting" || this.#phase === "ended") return;
    if (this.#threadId !== null && this.#turnId !== null) {
      this.#phase = "interrupting";
      this.#interruptedAs = outcome;
      this.#clearTimers();
      // Codex's `turn/completed` ends it. Where Codex refuses, or does not send that, it is over as well.
      this.#stopWaiting = watchLimits({ timeoutMs: answerTimeoutMs }, () => this.#end(outcome));
      void this.#askToInterrupt(this.#threadId, this.#turnId).then((isTaken) => {
        if (!isTaken) this.#end(outcome);
      });
    } else {
      this.#end(outcome);
    }
    this.#abort.abort();
  }

  /** False where Codex refused: the turn may have ended by itself. Never rejects. */
  async #askToInterrupt(threadId: string, turnId: string): Promise<boolean> {
    const { connection, countFault } = this.#context;
    try {
      await connection.call("turn/interrupt", { threadId, turnId }, { timeoutMs: answerTimeoutMs });
      return true;
    } catch {
      countFault("interrupt_failed");
      return false;
    }
  }

  async #askCodex(): Promise<TurnStanding> {
    const threadId = this.#threadId;
    if (threadId === null) return "over";
    try {
      const { thread } = await this.#context.connection.call(
        "thread/read",
        { threadId, includeTurns: false },
        { timeoutMs: answerTimeoutMs },
      );
      return standingOf(thread.status.type);
    } catch (error) {
      if (isUnknownThread(error)) return "over";
      this.#context.countFault("reconcile_failed");
      return "unknown";
    }
  }

  #emit(event: TurnEvent): void {
    this.#outbox.push(event);
    if (event.type !== "model_call.completed") this.#silence.expectsEnd = false;
    // Open calls hold the turn; without any it is over, and `turn/completed` must follow.
    else if (this.#toolCalls.openCount === 0) this.#silence.expectEnd();
  }

  #end(ending: TurnOutcome): void {
    if (this.#phase === "ended") return;
    const outcome = this.#handover?.outcome ?? ending;
    this.#phase = "ended";
    this.#clearTimers();
    this.#toolCalls.abandon();
    this.#outbox.push({ type: "turn.ended", outcome: this.#toolNames.toOriginalOutcome(outcome) });
    // Only a thread whose turn completed has the history that the caller thinks it has.
    const isWhole = outcome.status === "completed" && outcome.isThreadLost !== true;
    this.#finished.resolve(this.#assignment.keepThread && isWhole);
  }

  #clearTimers(): void {
    this.#silence.stop();
    this.#stopWaiting();
  }
}
