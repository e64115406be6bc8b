import { randomUUID } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import type { ThreadListener } from "../app-server/connection.js";
import { CallTimeoutError } from "../app-server/errors.js";
import type { ThreadNotification, ToolCall, ToolCallAnswer } from "../app-server/protocol.js";
import { missingInstructions } from "../contract/blank-thread.js";
import type { TurnErrorData } from "../contract/errors.js";
import { countBytes, countItems } from "../contract/item-chunk.js";
import { plainTextOf } from "../contract/plain-text.js";
import type { NativeThreadChoice, TurnAssignment } from "../contract/turn.js";
import type {
  ToolOutput,
  TurnEvent,
  TurnOutcome,
  TurnPortInput,
  TurnPortNotice,
} from "../contract/turn-messages.js";
import { canBeAskedFor } from "./askable-call.js";
import { classifyCallFailure, isRefusal, isUnknownThread } from "./call-failure.js";
import { Handover } from "./handover.js";
import { HeldNotifications } from "./held-notifications.js";
import { type Injection, injectableItems } from "./injectable-items.js";
import { retryWhenOverloaded } from "./overload-retry.js";
import { SilenceWatch, standingOf, type TurnStanding } from "./silence-watch.js";
import { type StartOptions, startThread, type TurnContext } from "./start-thread.js";
import { turnStartParams } from "./thread-params.js";
import { pacingOf } from "./tool-call-pacing.js";
import { ToolCalls } from "./tool-calls.js";
import { ToolNames } from "./tool-names.js";
import {
  heldTooMuchParked,
  heldTooMuchUnstarted,
  readerTooSlow,
  stalled,
  threadClosed,
  turnLost,
} from "./turn-endings.js";
import { interruptTimeoutMs, TurnInterrupt } from "./turn-interrupt.js";
import { TurnOutbox } from "./turn-outbox.js";
import { TurnReducer, turnIdOf } from "./turn-reducer.js";
import { unloadThread } from "./unload-thread.js";

/** Deadlines of the calls a turn makes, in milliseconds. They bound Codex's answers and not the model's. */
const deadlines = {
  connectionReady: 2_000,
  /** All calls that start the turn, together. Or the turn's idle limit, if that is less: no answer is silence too. */
  start: 28_000,
} as const;
/** An app-server that answered another call within this time is at work, in milliseconds. */
const answersOthersWithinMs = 10_000;

type Phase =
  /** Thread and turn are being started. */
  | "starting"
  /** The model has the word. */
  | "running"
  /** The model waits for outputs of the caller's functions. */
  | "parked"
  /** Told to interrupt; waiting for Codex's word that it did. */
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
  /** What came before the answer to `turn/start` told us the turn's id, or while the caller had the word. */
  readonly #held: HeldNotifications;
  readonly #silence: SilenceWatch;
  #startEndsAt = Number.POSITIVE_INFINITY;
  readonly #interruption: TurnInterrupt;
  /** The calls of the last answer are the caller's, and the rest of the turn nobody's. */
  #handover: Handover | null = null;
  /** Only a thread whose turn completed has the history that the caller thinks it has. */
  #keepsThread = false;
  /** Stops listening to the native thread. */
  #release: () => void = () => {};
  #finish: () => void = () => {};
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

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
        this.#end(this.#reducer.lostOutcome);
      },
      onLimit: () => this.#interrupt(stalled(assignment.idleTimeoutMs)),
      onTurnLost: () => this.#interrupt(turnLost),
    });
    this.#interruption = new TurnInterrupt({
      askCodex: (threadId, turnId) =>
        context.connection.call("turn/interrupt", { threadId, turnId }, { timeoutMs: interruptTimeoutMs }),
      onOverdue: (outcome) => this.#end(outcome),
      countFault: context.countFault,
    });
    this.#toolNames = new ToolNames(assignment.thread, context.connection.codexVersion);
    this.#toolCalls = new ToolCalls({
      pacing: () => pacingOf(context.connection.codexVersion),
      newCallId: () => `call_${randomUUID().replaceAll("-", "")}`,
      onParked: (callIds) => this.#park(callIds),
      onHandedOver: (callIds) => this.#handOver(callIds),
    });
    this.#reducer = new TurnReducer({
      emit: (event) => this.#emit(event),
      toOriginal: (item) => this.#toolNames.toOriginalItem(item),
      declaredTools: new Set(assignment.thread.tools.map((tool) => tool.name)),
      onCall: (item, raw) => {
        const nativeName = this.#toolNames.toNative(String(item.name));
        return this.#toolCalls.expect(item, { canBeAskedFor: canBeAskedFor(raw, nativeName) });
      },
      onConnectionRefused: () => this.#notify({ type: "connection_refused" }),
      freshThread: assignment.nativeThread.kind !== "continued",
    });
  }

  /** Runs the turn to its one terminal event and gives the native thread back. Never rejects. */
  async run(): Promise<void> {
    this.#port.on("message", this.#onInput);
    this.#port.on("close", this.#onPortClosed);
    try {
      await this.#begin();
    } catch (error) {
      if (this.#phase !== "ended") this.#end({ status: "failed", error: await this.#judge(error) });
    }
    await this.#finished;
    if (!this.#keepsThread) await this.#leaveThread();
    else this.#release();
    this.#port.off("message", this.#onInput);
    this.#port.off("close", this.#onPortClosed);
    this.#port.close();
  }

  onNotification(notification: ThreadNotification): void {
    if (this.#phase === "ended") return;
    if (notification.method === "thread/closed") return this.#end(this.#interruption.outcome ?? threadClosed);
    if (this.#turnId === null || (this.#phase === "parked" && notification.method !== "turn/completed")) {
      if (!this.#held.add(notification)) this.#onHeldTooMuch();
      return;
    }
    const turnId = turnIdOf(notification);
    // Injected items are echoed under a turn id of their own.
    if (turnId !== null && turnId !== this.#turnId) return;
    if (this.#held.overflowed) {
      // What came before is lost, so that only the end counts.
      if (notification.method === "turn/completed")
        this.#end(this.#interruption.outcome ?? heldTooMuchUnstarted);
      return;
    }
    // That Codex asks a silent model once more breaks no silence.
    if (notification.method !== "error" || !notification.params.willRetry) this.#silence.heard();
    this.#toolCalls.note(notification);
    if (notification.method === "turn/completed" && this.#handover !== null)
      this.#end(this.#handover.outcome);
    // Whatever else Codex makes of a turn that is handed over reaches nobody.
    if (this.#handover !== null && !this.#handover.note(notification)) return;
    this.#reducer.apply(notification);
    // A sum of tokens alone may be that of an answer which was cut short.
    if (notification.method === "rawResponse/completed") this.#toolCalls.modelCallCompleted();
    const { outcome, earlyOutcome } = this.#reducer;
    if (outcome !== null) this.#end(this.#interruption.outcome ?? outcome);
    else if (earlyOutcome !== null) this.#interrupt(earlyOutcome);
  }

  async onToolCall(call: ToolCall): Promise<ToolCallAnswer> {
    this.#silence.heard();
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
    const settings = { settings: thread, names: this.#toolNames };
    return this.#beginOn(await startThread(this.#context, settings, this.#startOptions()), { kind: "fresh" });
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

  async #judge(error: unknown): Promise<TurnErrorData> {
    const answersOthers =
      error instanceof CallTimeoutError &&
      (await this.#context.connection.answersWithin(answersOthersWithinMs));
    return classifyCallFailure(error, answersOthers);
  }

  async #beginOn(threadId: string, nativeThread: NativeThreadChoice): Promise<void> {
    const { connection } = this.#context;
    const { thread, items, directives } = this.#assignment;
    const isContinued = nativeThread.kind === "continued";
    const text = isContinued ? null : plainTextOf(this.#assignment, connection.codexVersion);
    this.#threadId = threadId;
    this.#release = connection.subscribeThread(threadId, this);
    const leading = missingInstructions(thread, nativeThread);
    const own = text === null ? { items, directives } : { items: [], directives: [] };
    await this.#inject(threadId, { leading, ...own });
    await this.#startTurn(threadId, text);
  }

  async #inject(threadId: string, injection: Injection): Promise<void> {
    const { connection, loopShare } = this.#context;
    for await (const items of injectableItems(injection, this.#toolNames, loopShare.start())) {
      if (this.#phase !== "starting") return;
      await retryWhenOverloaded(this.#abort.signal, () =>
        connection.call("thread/inject_items", { threadId, items }, this.#startOptions()),
      );
      // Each answer shows that Codex goes on: a long history takes as many calls as it takes.
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

  async #startTurn(threadId: string, text: string | null): Promise<void> {
    const { connection } = this.#context;
    if (this.#phase !== "starting") return;
    const { turn } = await retryWhenOverloaded(this.#abort.signal, () => {
      // Not aborted on cancel: only the answer tells the id by which the turn can be interrupted.
      const { signal: _signal, ...options } = this.#startOptions();
      return connection.call("turn/start", turnStartParams(threadId, this.#assignment, text), {
        ...options,
        // Codex took on what this side had given up.
        onLateResult: (late) => void this.#interruption.call(threadId, late.turn.id),
      });
    });
    if (this.#phase === "starting") this.#onTurnStarted(threadId, turn.id);
    else await this.#interruption.call(threadId, turn.id);
  }

  #onTurnStarted(threadId: string, turnId: string): void {
    this.#turnId = turnId;
    this.#emit({ type: "turn.started", threadId, turnId, model: this.#assignment.thread.model });
    this.#phase = "running";
    this.#silence.start();
    this.#applyHeld();
  }

  #applyHeld(): void {
    for (const notification of this.#held.take()) this.onNotification(notification);
  }

  #onHeldTooMuch(): void {
    this.#context.countFault("held_too_much");
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

  /** The wait is now the caller's: no time limit of ours runs until it answers. */
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
    this.#reducer.beginLeg();
    this.#toolCalls.answer(outputs);
    // A model that was not done when the turn was parked has gone on since.
    this.#applyHeld();
  }

  #handOver(callIds: readonly string[]): void {
    if (this.#phase !== "running") return;
    this.#handover = new Handover(callIds, pacingOf(this.#context.connection.codexVersion));
    this.#interrupt(this.#handover.outcome);
  }

  readonly #onPortClosed = (): void => this.#interrupt({ status: "cancelled" });

  /** Ends the turn with this outcome as soon as Codex has let go of it; at once where Codex has not taken it on yet. */
  #interrupt(outcome: TurnOutcome): void {
    if (this.#phase === "interrupting" || this.#phase === "ended") return;
    if (this.#threadId !== null && this.#turnId !== null) {
      this.#phase = "interrupting";
      this.#clearTimers();
      this.#interruption.send(this.#threadId, this.#turnId, outcome);
    } else {
      this.#end(outcome);
    }
    this.#abort.abort();
  }

  async #askCodex(): Promise<TurnStanding> {
    const threadId = this.#threadId;
    if (threadId === null) return "over";
    try {
      const { thread } = await this.#context.connection.call(
        "thread/read",
        { threadId, includeTurns: false },
        { timeoutMs: interruptTimeoutMs },
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
    if (event.type !== "model_call.completed") return this.#silence.goOn();
    // Open calls hold the turn; without any it is over, and `turn/completed` must follow.
    if (this.#toolCalls.openCount === 0) this.#silence.expectEnd();
  }

  #end(ending: TurnOutcome): void {
    if (this.#phase === "ended") return;
    const outcome = this.#handover?.outcome ?? ending;
    this.#phase = "ended";
    this.#keepsThread = this.#assignment.keepThread && outcome.status === "completed";
    this.#clearTimers();
    this.#toolCalls.abandon();
    this.#outbox.push({ type: "turn.ended", outcome: this.#toolNames.toOriginalOutcome(outcome) });
    this.#finish();
  }

  #clearTimers(): void {
    this.#silence.stop();
    this.#interruption.stop();
  }
}
