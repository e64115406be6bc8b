import type {
  NativeTurnError,
  ThreadNotification,
  ThreadNotificationParams,
} from "../app-server/protocol.js";
import { kindOfCall } from "../contract/client-tools.js";
import type { JsonObject } from "../contract/json.js";
import type { TokenUsage } from "../contract/turn.js";
import type { OutputItemType, TurnEvent, TurnOutcome } from "../contract/turn-messages.js";
import {
  announcedItems,
  assistantMessage,
  isFilterGuidance,
  isModelOutput,
  isToolCall,
  readAgentMessage,
  refusalMessage,
  withoutCodexNotes,
} from "./model-items.js";
import {
  completedByBrokenCall,
  maxAnswersInSegment,
  maxRefusedCalls,
  nothingButCalls,
  runaway,
  tooManyRefusedCalls,
} from "./turn-endings.js";
import { classifyFailure, RetryNotices, readStoppedAnswer } from "./turn-failure.js";

interface TurnReducerOptions {
  readonly emit: (event: TurnEvent) => void;
  /** Gives an item the caller's own function names back. */
  readonly toOriginal: (item: JsonObject) => JsonObject;
  /** Whether an item in the caller's form is a call of one of its tools. */
  readonly declares: (call: JsonObject) => boolean;
  /** A call of one of them is complete; gives the item as it is to be shown. `raw` is as the model made it. */
  readonly onCall: (item: JsonObject, raw: JsonObject) => JsonObject;
  /** The backend refused the turn a WebSocket connection. May be called several times. */
  readonly onConnectionRefused: () => void;
  /** On one, Codex's sum of tokens is this turn's. */
  readonly freshThread: boolean;
  /** Models comment on the work that leads up to an answer, which takes tools. */
  readonly hasTools: boolean;
  /** Whether the model may comment on its work, and this Codex announces a message without its mark. Default: never. */
  readonly phasesFollow?: () => boolean;
}

/**
 * Notifications of one native turn in, events of the contract out. Pure. Any notification may be missing, since Codex drops
 * them under load: a completed item is the truth, and what its announcement or raw form lacks is filled in.
 */
export class TurnReducer {
  readonly #options: TurnReducerOptions;
  /** Begun and not complete. */
  readonly #open = new Map<string, OpenItem>();
  /** The one of them that began last: an answer has one item after the other. */
  #newestId: string | null = null;
  readonly #completed = new Set<string>();
  /** Begun and taken for broken. */
  readonly #discarded = new Set<string>();
  /** Messages known to be complete whose raw item has not come (yet). */
  readonly #unconfirmed = new Map<string, string>();
  #usageReported = false;
  #outcome: TurnOutcome | null = null;
  #earlyOutcome: TurnOutcome | null = null;
  /** What the model made since the caller last had a say. Calls: of tools that the model was not offered. */
  #segment = { answers: 0, hasCalls: false, hasAnswer: false };
  /** The last thing that this call of the model made is its final answer. */
  #isAnswered = false;
  /** Over the whole turn: nothing that the model makes in between starts the count again. */
  #refusedCalls = 0;
  /** Tokens reported so far, to know a call's share of the thread's sum. */
  #reported = 0;
  #lastError: NativeTurnError | null = null;
  readonly #retries: RetryNotices;
  /** The model has put something out since Codex's last notice of a retry. */
  #modelReached = false;

  constructor(options: TurnReducerOptions) {
    this.#options = options;
    this.#retries = new RetryNotices(options.onConnectionRefused);
  }

  /** How the turn is to end although Codex still runs it; it must be interrupted. */
  get earlyOutcome(): TurnOutcome | null {
    return this.#earlyOutcome;
  }

  /** How the turn ended, once `turn/completed` said so. */
  get outcome(): TurnOutcome | null {
    return this.#outcome;
  }

  /** How the turn ended if Codex says that it completed. */
  get completedOutcome(): TurnOutcome {
    const { hasCalls, hasAnswer } = this.#segment;
    return hasCalls && !hasAnswer ? nothingButCalls : { status: "completed" };
  }

  /** The caller has answered the calls of a parked turn, which begins a segment. */
  beginSegment(): void {
    this.#segment = { answers: 0, hasCalls: false, hasAnswer: false };
  }

  apply(notification: ThreadNotification): void {
    this.#modelReached ||= /^(?:item|rawResponse)/.test(notification.method);
    switch (notification.method) {
      case "item/agentMessage/delta": {
        const { itemId: id, delta } = notification.params;
        const message = this.#begin(id, "message");
        if (message === null) return;
        this.#announce(message);
        message.text += delta;
        return this.#options.emit({ type: "text.delta", itemId: id, delta });
      }
      case "item/reasoning/summaryTextDelta": {
        const { itemId: id, summaryIndex, delta } = notification.params;
        if (this.#begin(id, "reasoning") === null) return;
        return this.#options.emit({ type: "reasoning_summary.delta", itemId: id, summaryIndex, delta });
      }
      case "item/reasoning/summaryPartAdded": {
        const { itemId: id, summaryIndex } = notification.params;
        if (this.#begin(id, "reasoning") === null) return;
        return this.#options.emit({ type: "reasoning_summary.part", itemId: id, summaryIndex });
      }
      case "item/reasoning/textDelta": {
        const { itemId: id, contentIndex, delta } = notification.params;
        if (this.#begin(id, "reasoning") === null) return;
        return this.#options.emit({ type: "reasoning_text.delta", itemId: id, contentIndex, delta });
      }
      case "item/started": {
        const { id, type, phase } = notification.params.item;
        const itemType = announcedItems[type];
        if (itemType !== undefined) this.#begin(id, itemType, phase);
        return;
      }
      case "item/completed":
        return this.#noteMessage(notification.params.item);
      case "rawResponseItem/completed":
        return this.#completeItem(notification.params.item);
      case "rawResponse/completed":
        this.#usageReported = true;
        return this.#completeCall(notification.params.usage);
      case "thread/tokenUsage/updated":
        // Exact usage comes with `rawResponse/completed`; Codex before 0.150 has only this.
        if (!this.#usageReported) this.#completeCall(this.#usageOfCall(notification.params.tokenUsage));
        this.#usageReported = false;
        return;
      case "error":
        this.#lastError = notification.params.error;
        if (notification.params.willRetry) this.#onModelAskedAgain(notification.params.error);
        return;
      case "turn/completed":
        return this.#complete(notification.params.turn);
      case "turn/started":
      case "thread/closed":
      case "model/rerouted":
      case "warning":
        return;
    }
  }

  /** Null for what was taken for broken and is told of late: its end still counts. */
  #begin(id: string, itemType: OutputItemType, phase?: unknown): OpenItem | null {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    if (this.#completed.has(id)) return { itemType, text: "", announcement: null };
    if (this.#discarded.has(id)) return null;
    this.#discardBroken(itemType);
    const marked = typeof phase === "string" ? { phase } : this.#markOf(itemType);
    const item: OpenItem = {
      itemType,
      text: "",
      announcement: { type: "item.started", itemId: id, itemType, ...marked },
    };
    this.#open.set(id, item);
    this.#newestId = id;
    this.#isAnswered = false;
    // A message comes with its first word: one that Codex begins again before that was never seen.
    if (itemType !== "message") this.#announce(item);
    return item;
  }

  #announce(item: OpenItem): void {
    const { announcement } = item;
    if (announcement === null) return;
    item.announcement = null;
    this.#options.emit(announcement);
  }

  #markOf(itemType: OutputItemType): { readonly phaseFollows?: true } {
    return itemType === "message" && this.#options.phasesFollow?.() === true ? { phaseFollows: true } : {};
  }

  /** A message of the model's is complete, and its raw item may have been lost. */
  #noteMessage(item: unknown): void {
    const message = readAgentMessage(item);
    if (message !== null && !this.#completed.has(message.id)) this.#unconfirmed.set(message.id, message.text);
  }

  #onModelAskedAgain(error: NativeTurnError): void {
    if (this.#modelReached) this.#retries.noteOutput();
    this.#modelReached = false;
    const reason = readStoppedAnswer(error);
    if (reason !== null) return this.#stopEarly(reason);
    this.#flushUnconfirmed();
    if (this.#isAnswered) this.#earlyOutcome ??= completedByBrokenCall;
    const hasShownOutput = this.#open.size + this.#completed.size > 0;
    this.#discardNewest();
    this.#earlyOutcome ??= this.#retries.judge(error, hasShownOutput);
  }

  #stopEarly(reason: string): void {
    this.#earlyOutcome = { status: "incomplete", reason };
  }

  /**
   * Codex does not announce the first time that it asks again over a broken WebSocket: a message that it was making when something else
   * comes is of a broken call, and so is reasoning when reasoning comes. Reasoning may also just have lost its end on the way.
   */
  #discardBroken(nextType?: OutputItemType): void {
    const newest = this.#newestId === null ? undefined : this.#open.get(this.#newestId);
    if (newest?.itemType === "message" || (newest?.itemType === "reasoning" && nextType === "reasoning"))
      this.#discardNewest();
  }

  /** What Codex was making is of a broken call. It keeps what was complete, and the model goes on from there. */
  #discardNewest(): void {
    const id = this.#newestId;
    const newest = id === null ? undefined : this.#open.get(id);
    this.#newestId = null;
    // A message known to be complete is not broken.
    if (id === null || newest === undefined || this.#unconfirmed.has(id)) return;
    this.#open.delete(id);
    this.#discarded.add(id);
    if (newest.announcement === null) this.#options.emit({ type: "item.discarded", itemId: id });
  }

  /** An answer cut short has no usage of its own in Codex's count: it is what the sum grew by. */
  #usageOfCall({
    last,
    total,
  }: ThreadNotificationParams<"thread/tokenUsage/updated">["tokenUsage"]): TokenUsage | null {
    if (last.totalTokens > 0) return last;
    return this.#options.freshThread && this.#reported === 0 && total.totalTokens > 0 ? total : null;
  }

  #completeItem(item: JsonObject): void {
    if (isFilterGuidance(item)) this.#stopEarly("content_filter");
    const own = this.#options.toOriginal(withoutCodexNotes(item));
    if (!isModelOutput(own, this.#options.declares)) return this.#noteHidden(own);
    const id = typeof item.id === "string" ? item.id : this.#announcedIdOf(item);
    if (id !== null) {
      if (this.#completed.has(id)) return;
      this.#completed.add(id);
      this.#open.delete(id);
      this.#unconfirmed.delete(id);
    }
    const isCall = kindOfCall(own) !== null;
    if (isCall) this.#discardBroken();
    this.#segment.hasAnswer ||= isCall || answers.has(own.type);
    this.#isAnswered = this.#isFinal(own);
    const shown = isCall ? this.#options.onCall(own, item) : own;
    // A call of the caller's kind has an id of that kind.
    const isNamed = id === null || typeof shown.id === "string";
    this.#options.emit({ type: "item.completed", item: isNamed ? shown : { ...shown, id } });
  }

  #isFinal({ type, phase }: JsonObject): boolean {
    return (
      type === "message" && (typeof phase === "string" ? phase === "final_answer" : !this.#options.hasTools)
    );
  }

  /**
   * An item of the stream that is not shown. The model may call tools that it was not offered: Codex refuses some of these calls and
   * asks the model again, as often as it calls; others it passes over, and the turn is over with nothing in it. Neither reads as
   * an answer.
   */
  #noteHidden(item: JsonObject): void {
    const isCall = isToolCall(item);
    if (isCall) {
      this.#isAnswered = false;
      this.#refusedCalls += 1;
    }
    // Codex passes on items of types that it does not know, such as `shell_call` or `mcp_call`, as `other` and without content.
    this.#segment.hasCalls ||= isCall || item.type === "tool_search_call" || item.type === "other";
    if (this.#refusedCalls > maxRefusedCalls) this.#earlyOutcome ??= tooManyRefusedCalls;
  }

  /** Codex before 0.150 drops the ids of raw items: the id is that of the oldest announced item of its kind. */
  #announcedIdOf(item: JsonObject): string | null {
    if (item.type === "message") {
      const [finished] = this.#unconfirmed.keys();
      if (finished !== undefined) return finished;
    }
    for (const [id, { itemType }] of this.#open) {
      if (itemType === item.type) return id;
    }
    return null;
  }

  #completeCall(usage: TokenUsage | null): void {
    this.#flushUnconfirmed();
    this.#reported += usage?.totalTokens ?? 0;
    this.#segment.answers += 1;
    this.#isAnswered = false;
    if (this.#segment.answers > maxAnswersInSegment) this.#earlyOutcome ??= runaway;
    this.#options.emit({ type: "model_call.completed", usage });
  }

  #complete({ items, status, error }: ThreadNotificationParams<"turn/completed">["turn"]): void {
    for (const item of items) this.#noteMessage(item);
    this.#flushUnconfirmed();
    if (status === "completed") {
      this.#closeOpenMessages(items.some(({ type }) => type !== "userMessage"));
      this.#outcome = this.completedOutcome;
    } else if (status === "interrupted") this.#outcome = { status: "cancelled" };
    else this.#outcome = classifyFailure(error ?? this.#lastError);
  }

  /**
   * A message that was begun and is not among the turn's items. If there are others, a broken call left it. If there are none, one
   * without text was a refusal, whose words Codex keeps back.
   */
  #closeOpenMessages(hasOthers: boolean): void {
    if (hasOthers) return this.#discardBroken();
    for (const [id, { itemType, text }] of [...this.#open]) {
      if (itemType === "message")
        this.#completeItem(text === "" ? refusalMessage(id) : assistantMessage(id, text));
    }
  }

  #flushUnconfirmed(): void {
    for (const [id, text] of [...this.#unconfirmed]) this.#completeItem(assistantMessage(id, text));
    this.#unconfirmed.clear();
  }
}

interface OpenItem {
  readonly itemType: OutputItemType;
  /** What was shown of a message so far. */
  text: string;
  /** Null once it is emitted. */
  announcement: Extract<TurnEvent, { readonly type: "item.started" }> | null;
}

/** The turn that a notification is about; null when it names none. */
export function turnIdOf({ params }: ThreadNotification): string | null {
  if ("turnId" in params) return params.turnId;
  return "turn" in params ? params.turn.id : null;
}

/** Items, beside the calls of its tools, that a caller can use. Reasoning and searches only lead up to them. */
const answers: ReadonlySet<unknown> = new Set(["message", "image_generation_call"]);
