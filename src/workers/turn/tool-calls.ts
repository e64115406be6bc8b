import type { ThreadNotification, ToolCallAnswer, ToolCallContentItem } from "../app-server/protocol.js";
import { isAtLeast } from "../contract/codex-capabilities.js";
import type { JsonObject } from "../contract/json.js";
import type { ToolOutput, ToolOutputPart, TurnOutcome } from "../contract/turn-messages.js";
import { createDeferred, type Deferred, watchLimits } from "../contract/wait.js";
import { readOutputCallId, showsModelAtWork } from "./model-items.js";

/** In what manner Codex asks for the outputs of functions that the model called. */
export type ToolCallPacing =
  /** For all of them at once, and it says when the model call is over. */
  | "together"
  /** For one, in any order, and for the next when that is answered; it says when the model call is over. */
  | "one_by_one"
  /** For one after the other, and that the model call is over can only be told by silence. */
  | "unannounced";

/** Measured: 0.169 asks together, 0.160 and 0.150 one by one, 0.140 does not say. */
export function pacingOf(codexVersion: string | null): ToolCallPacing {
  if (isAtLeast(codexVersion, 0, 169)) return "together";
  return isAtLeast(codexVersion, 0, 150) ? "one_by_one" : "unannounced";
}

/** How long a model call with calls of functions may be over before we stop waiting for Codex to ask for all of them. */
const straggleMs = 1_000;
/** How long a turn with an open call must be silent before its model call counts as over, where Codex does not say so. */
const quietMs = 150;
/** The same where Codex says so, in case that this notification is lost, or does not come since the answer was cut short after a call. */
const lostEndMs = 30_000;

export interface ToolCallsOptions {
  /** Asked when it matters: Codex's version is known once the connection is ready. */
  readonly pacing: () => ToolCallPacing;
  readonly newCallId: () => string;
  /** Milliseconds since the last notification of the turn. */
  readonly silentMs: () => number;
  /** The turn waits for these calls' outputs. */
  readonly onParked: (callIds: readonly string[]) => void;
  /** Codex has answered some of these calls itself, so that the turn is to be stopped before the model reads that. */
  readonly onHandedOver: (callIds: readonly string[]) => void;
}

/**
 * The model's calls of the caller's functions. The turn is parked once the model call is over and Codex has asked for what it
 * will ask for until it is answered; the requests and the model's items arrive in any order. A model call with a call that Codex
 * answers by itself is handed over whole instead: once it is over, or the calls that the model is still writing would be lost.
 */
export class ToolCalls {
  readonly #options: ToolCallsOptions;
  /** Two calls of one id are two requests. */
  readonly #open = new Map<string, Deferred<ToolCallAnswer>[]>();
  /** Answers to calls that Codex has yet to ask for, since it asks one by one. */
  readonly #kept = new Map<string, ToolCallAnswer>();
  /** Call ids of this model call, in the model's order and as the caller knows them. */
  readonly #expected = new Set<string>();
  /** Codex cannot ask for one of them: it answers it by itself, or an output could not be told to be that call's. */
  #hasUnaskable = false;
  /** Codex's answer to one of them is in the history. Every delta of the turn reads this, so it is a plain field. */
  answeredByCodex = false;
  /** The calls that the caller was told of and has not answered; null while the turn is not parked. */
  #parked: readonly string[] | null = null;
  #handedOver = false;
  #modelCallOver = false;
  #stopWaiting: (() => void) | null = null;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Codex asks for an output. Resolves when the caller gave it, or the turn ended. */
  open(callId: string): Promise<ToolCallAnswer> {
    const kept = this.#kept.get(callId);
    if (kept !== undefined) {
      this.#kept.delete(callId);
      return Promise.resolve(kept);
    }
    const answer = createDeferred<ToolCallAnswer>();
    this.#open.set(callId, [...(this.#open.get(callId) ?? []), answer]);
    this.#check();
    return answer.promise;
  }

  /**
   * A call of the caller's is complete. Gives the item as it is to be shown: with an id of our own where an output could not be told
   * to be this call's.
   */
  expect(item: JsonObject, { canBeAskedFor }: { readonly canBeAskedFor: boolean }): JsonObject {
    const given = typeof item.call_id === "string" ? item.call_id : "";
    const isUsable = given !== "" && !this.#expected.has(given);
    const callId = isUsable ? given : this.#options.newCallId();
    this.#expected.add(callId);
    this.#hasUnaskable ||= !isUsable || !canBeAskedFor;
    return isUsable ? item : { ...item, call_id: callId };
  }

  /** A raw item of the turn, and any notification while `answeredByCodex`, before anything is made of it. */
  note(notification: ThreadNotification): void {
    const answeredCallId = readOutputCallId(notification);
    if (answeredCallId !== null) this.#noteOutput(answeredCallId);
    // A model at work, after Codex has answered a call of its last answer, has been asked again.
    else if (this.answeredByCodex && showsModelAtWork(notification)) this.#handOver();
  }

  /** Codex has put an output into the history. It is Codex's own if Codex did not ask for it. */
  #noteOutput(callId: string): void {
    if (!this.#expected.has(callId) || this.#open.has(callId) || this.#parked !== null) return;
    this.#hasUnaskable = true;
    this.answeredByCodex = true;
    // Codex notes outputs when the model call is over; where it does not announce that, this is the first sign.
    if (this.#options.pacing() === "unannounced") this.#handOver();
    else this.#check();
  }

  modelCallCompleted(): void {
    // Where Codex does not announce it, this comes after the outputs, and the next model call is already under way.
    if (this.#options.pacing() === "unannounced") return;
    // Without calls of the caller's Codex continues, or the turn is over.
    if (this.#expected.size === 0 && this.#open.size === 0) return;
    this.#modelCallOver = true;
    this.#clearTimer();
    this.#check();
  }

  /** Parked calls without an output among these are answered as failed: the model must not wait for ever. */
  answer(outputs: readonly ToolOutput[]): void {
    const byCallId = new Map(outputs.map(({ callId, parts }) => [callId, parts]));
    const answered = this.#parked ?? [...this.#open.keys()];
    this.#reset();
    for (const callId of answered) {
      const contentItems = byCallId.get(callId)?.map(contentItem);
      const answer = contentItems === undefined ? noOutput : { success: true, contentItems };
      const asked = this.#open.get(callId);
      this.#open.delete(callId);
      if (asked === undefined) this.#kept.set(callId, answer);
      else for (const { resolve } of asked) resolve(answer);
    }
    // Codex may have asked for more while the turn was parked.
    this.#check();
  }

  /** The turn is over: open requests get an answer that Codex does not read. */
  abandon(): void {
    const open = [...this.#open.values()].flat();
    this.#open.clear();
    this.#kept.clear();
    this.#reset();
    for (const { resolve } of open) resolve(noOutput);
  }

  #check(): void {
    if (this.#parked !== null) return;
    const pacing = this.#options.pacing();
    if (!this.#modelCallOver) {
      if (this.#open.size > 0) this.#settleAfterSilence(pacing === "unannounced" ? quietMs : lostEndMs);
      return;
    }
    if (this.#hasUnaskable) return this.#handOver();
    if (this.#open.size === 0) return;
    const allAsked = [...this.#expected].every((callId) => this.#open.has(callId));
    if (pacing === "one_by_one" || allAsked) this.#settle();
    else this.#settleAfter(straggleMs, () => this.#settle());
  }

  /** The model may not be done while the turn's notifications come. */
  #settleAfterSilence(silenceMs: number, waitMs = silenceMs): void {
    this.#settleAfter(waitMs, () => {
      const leftMs = silenceMs - this.#options.silentMs();
      if (leftMs <= 0) return this.#settle();
      this.#clearTimer();
      this.#settleAfterSilence(silenceMs, leftMs);
    });
  }

  #settleAfter(timeoutMs: number, settle: () => void): void {
    this.#stopWaiting ??= watchLimits({ timeoutMs }, settle);
  }

  /** The model call is over, as far as can be told. */
  #settle(): void {
    this.#clearTimer();
    if (this.#hasUnaskable) return this.#handOver();
    // Of those that Codex asks for together, one that has not come by now never does.
    const together = this.#options.pacing() === "together";
    const expected = [...this.#expected];
    const inModelOrder = together ? expected.filter((callId) => this.#open.has(callId)) : expected;
    const others = [...this.#open.keys()].filter((callId) => !this.#expected.has(callId));
    this.#parked = [...inModelOrder, ...others];
    this.#options.onParked(this.#parked);
  }

  #handOver(): void {
    if (this.#handedOver) return;
    this.#handedOver = true;
    this.#clearTimer();
    this.#options.onHandedOver([...this.#expected]);
  }

  #reset(): void {
    this.#clearTimer();
    this.#parked = null;
    this.#expected.clear();
    this.#hasUnaskable = false;
    this.answeredByCodex = false;
    this.#modelCallOver = false;
  }

  #clearTimer(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
  }
}

const noOutput: ToolCallAnswer = {
  success: false,
  contentItems: [{ type: "inputText", text: "The caller gave no output for this call." }],
};

function contentItem(part: ToolOutputPart): ToolCallContentItem {
  return part.type === "text"
    ? { type: "inputText", text: part.text }
    : { type: "inputImage", imageUrl: part.imageUrl };
}

/**
 * The end of a turn whose last answer's calls are the caller's to answer, while Codex interrupts it. Nothing else that Codex makes of
 * the turn is passed on.
 */
export class Handover {
  readonly #callIds: readonly string[];
  /** Where Codex does not announce the end of the answer, its usage is still to come. */
  #usageIsDue: boolean;
  #mayHaveAskedAgain = false;

  constructor(callIds: readonly string[], pacing: ToolCallPacing) {
    this.#callIds = callIds;
    this.#usageIsDue = pacing === "unannounced";
  }

  get outcome(): TurnOutcome {
    return { status: "handed_over", callIds: this.#callIds, mayHaveAskedAgain: this.#mayHaveAskedAgain };
  }

  /** True for what still counts: the usage of the answer. */
  note(notification: ThreadNotification): boolean {
    const isSum = notification.method === "thread/tokenUsage/updated";
    // Codex sums up when it is done with an answer, and then asks again.
    this.#mayHaveAskedAgain ||=
      isSum || notification.method === "rawResponse/completed" || showsModelAtWork(notification);
    const counts = isSum && this.#usageIsDue;
    this.#usageIsDue &&= !isSum;
    return counts;
  }
}
