import type { NativeTurnError, ThreadNotification } from "../app-server/protocol.js";
import { isJsonObject, type JsonObject } from "../contract/json.js";
import type { TokenUsage } from "../contract/turn.js";
import type { OutputItemType, TurnEvent, TurnOutcome } from "../contract/turn-messages.js";
import {
  announcedItems,
  assistantMessage,
  isFilterGuidance,
  isModelOutput,
  isToolCall,
  itemId,
  readAgentMessage,
  refusalMessage,
  withoutCodexNotes,
} from "./model-items.js";
import { RetryNotices } from "./retry-notices.js";
import {
  maxAnswersInLeg,
  maxRefusedCalls,
  nothingButCalls,
  runaway,
  tooManyRefusedCalls,
} from "./turn-endings.js";
import { classifyFailure, readStoppedAnswer } from "./turn-failure.js";

interface TurnReducerOptions {
  readonly emit: (event: TurnEvent) => void;
  /** Gives an item the caller's own function names back. */
  readonly toOriginal: (item: JsonObject) => JsonObject;
  /** The caller's functions, by its own names. */
  readonly declaredTools: ReadonlySet<string>;
  /** A call of one of them is complete; gives the item as it is to be shown. `raw` is as the model made it. */
  readonly onCall: (item: JsonObject, raw: JsonObject) => JsonObject;
  /** The backend refused the turn a WebSocket connection. May be called several times. */
  readonly onConnectionRefused: () => void;
  /** On one, Codex's sum of tokens is this turn's. */
  readonly freshThread: boolean;
}

/**
 * Notifications of one native turn in, events of the contract out. Pure. Any notification may be missing, since Codex drops
 * them under load: a completed item is the truth, and what its announcement or raw form lacks is filled in.
 */
export class TurnReducer {
  readonly #emit: (event: TurnEvent) => void;
  readonly #freshThread: boolean;
  readonly #toOriginal: (item: JsonObject) => JsonObject;
  readonly #declaredTools: ReadonlySet<string>;
  readonly #onCall: TurnReducerOptions["onCall"];
  /** Announced and not complete, with the text shown so far. */
  readonly #open = new Map<string, { readonly itemType: OutputItemType; text: string }>();
  readonly #completed = new Set<string>();
  /** Messages known to be complete whose raw item has not come (yet). */
  readonly #unconfirmed = new Map<string, string>();
  #usageReported = false;
  #outcome: TurnOutcome | null = null;
  #earlyOutcome: TurnOutcome | null = null;
  readonly #unoffered = new UnofferedCalls();
  /** Answers of the model since the caller last had a say. */
  #answersInLeg = 0;
  /** Tokens reported so far, to know a call's share of the thread's sum. */
  #reported = 0;
  #lastError: NativeTurnError | null = null;
  readonly #retries: RetryNotices;

  constructor(options: TurnReducerOptions) {
    this.#emit = options.emit;
    this.#freshThread = options.freshThread;
    this.#toOriginal = options.toOriginal;
    this.#declaredTools = options.declaredTools;
    this.#onCall = options.onCall;
    this.#retries = new RetryNotices(options.onConnectionRefused);
  }

  /** How the turn is to end although Codex goes on with it; it must be interrupted. */
  get earlyOutcome(): TurnOutcome | null {
    return this.#earlyOutcome;
  }

  /** How the turn ended, once `turn/completed` said so. */
  get outcome(): TurnOutcome | null {
    return this.#outcome;
  }

  /** How the turn ended if Codex is done with it and its `turn/completed` was lost. */
  get lostOutcome(): TurnOutcome {
    return this.#unoffered.completed;
  }

  /** The caller has answered the calls of a parked turn. */
  beginLeg(): void {
    this.#answersInLeg = 0;
    this.#unoffered.beginLeg();
  }

  apply(notification: ThreadNotification): void {
    if (/^(?:item|rawResponse)/.test(notification.method)) this.#retries.noteOutput();
    switch (notification.method) {
      case "item/agentMessage/delta": {
        const { itemId: id, delta } = notification.params;
        this.#announce(id, "message").text += delta;
        return this.#emit({ type: "text.delta", itemId: id, delta });
      }
      case "item/reasoning/summaryTextDelta": {
        const { itemId: id, summaryIndex, delta } = notification.params;
        this.#announce(id, "reasoning");
        return this.#emit({ type: "reasoning_summary.delta", itemId: id, summaryIndex, delta });
      }
      case "item/reasoning/summaryPartAdded": {
        const { itemId: id, summaryIndex } = notification.params;
        this.#announce(id, "reasoning");
        return this.#emit({ type: "reasoning_summary.part", itemId: id, summaryIndex });
      }
      case "item/reasoning/textDelta": {
        const { itemId: id, contentIndex, delta } = notification.params;
        this.#announce(id, "reasoning");
        return this.#emit({ type: "reasoning_text.delta", itemId: id, contentIndex, delta });
      }
      case "item/started": {
        const itemType = announcedItems[notification.params.item.type];
        if (itemType !== undefined) this.#announce(notification.params.item.id, itemType);
        return;
      }
      case "item/completed": {
        const message = readAgentMessage(notification.params.item);
        if (message !== null) this.#unconfirmed.set(message.id, message.text);
        return;
      }
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

  #announce(id: string, itemType: OutputItemType): { text: string } {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const announced = { itemType, text: "" };
    if (this.#completed.has(id)) return announced;
    this.#open.set(id, announced);
    this.#emit({ type: "item.started", itemId: id, itemType });
    return announced;
  }

  #onModelAskedAgain(error: NativeTurnError): void {
    const reason = readStoppedAnswer(error);
    if (reason !== null) return this.#stopEarly(reason);
    const hasShownOutput = this.#open.size + this.#completed.size > 0;
    this.#discardOpenItems();
    this.#earlyOutcome ??= this.#retries.judge(error, hasShownOutput);
  }

  #stopEarly(reason: string): void {
    this.#earlyOutcome = { status: "incomplete", reason };
  }

  #discardOpenItems(): void {
    for (const id of [...this.#open.keys()]) {
      this.#open.delete(id);
      this.#unconfirmed.delete(id);
      this.#emit({ type: "item.discarded", itemId: id });
    }
  }

  /** An answer cut short has no usage of its own in Codex's count: it is what the sum grew by. */
  #usageOfCall({
    last,
    total,
  }: {
    readonly last: TokenUsage;
    readonly total: TokenUsage;
  }): TokenUsage | null {
    if (last.totalTokens > 0) return last;
    return this.#freshThread && this.#reported === 0 && total.totalTokens > 0 ? total : null;
  }

  #completeItem(item: JsonObject): void {
    if (isFilterGuidance(item)) this.#stopEarly("content_filter");
    const own = this.#toOriginal(withoutCodexNotes(item));
    if (!isModelOutput(own, this.#declaredTools)) {
      this.#earlyOutcome ??= this.#unoffered.noteHidden(own);
      return;
    }
    const id = itemId(item) ?? this.#announcedIdOf(item);
    if (id !== null) {
      if (this.#completed.has(id)) return;
      this.#completed.add(id);
      this.#open.delete(id);
      this.#unconfirmed.delete(id);
    }
    this.#unoffered.noteShown(own);
    const shown = own.type === "function_call" ? this.#onCall(own, item) : own;
    this.#emit({ type: "item.completed", item: id === null ? shown : { ...shown, id } });
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
    this.#answersInLeg += 1;
    if (this.#answersInLeg > maxAnswersInLeg) this.#earlyOutcome ??= runaway;
    this.#emit({ type: "model_call.completed", usage });
  }

  #complete(turn: Extract<ThreadNotification, { method: "turn/completed" }>["params"]["turn"]): void {
    for (const item of turn.items) {
      const message = readAgentMessage(item);
      if (message !== null && !this.#completed.has(message.id))
        this.#unconfirmed.set(message.id, message.text);
    }
    this.#flushUnconfirmed();
    const hasOthers = turn.items.some(({ type }) => type !== "userMessage");
    if (turn.status === "completed") this.#closeOpenMessages(hasOthers);
    this.#outcome = this.#outcomeOf(turn.status, turn.error);
  }

  /**
   * A message that was begun and is not among the turn's items. Where there are others, it is what a broken call left: Codex
   * does not tell of its first retry. Where there are none, one without text was a refusal, whose words Codex keeps back.
   */
  #closeOpenMessages(hasOthers: boolean): void {
    if (hasOthers) return this.#discardOpenItems();
    for (const [id, { itemType, text }] of [...this.#open]) {
      if (itemType === "message")
        this.#completeItem(text === "" ? refusalMessage(id) : assistantMessage(id, text));
    }
  }

  #flushUnconfirmed(): void {
    for (const [id, text] of [...this.#unconfirmed]) this.#completeItem(assistantMessage(id, text));
    this.#unconfirmed.clear();
  }

  #outcomeOf(status: string, error: NativeTurnError | null): TurnOutcome {
    switch (status) {
      case "completed":
        return this.#unoffered.completed;
      case "interrupted":
        return { status: "cancelled" };
      default:
        return classifyFailure(error ?? this.#lastError);
    }
  }
}

/** Whose turn a notification is about; null when it names none. */
export function turnIdOf(notification: ThreadNotification): string | null {
  const params: unknown = notification.params;
  if (!isJsonObject(params)) return null;
  if (typeof params.turnId === "string") return params.turnId;
  const turn = params.turn;
  return isJsonObject(turn) && typeof turn.id === "string" ? turn.id : null;
}

/** What a caller can make use of. Reasoning and searches only lead up to it. */
const answers: ReadonlySet<unknown> = new Set(["message", "function_call", "image_generation_call"]);

/**
 * The model's calls of tools that it was not offered. Codex refuses some and asks the model again, as often as it calls; others it
 * passes over, and the turn is over with nothing in it. Neither reads as an answer.
 */
class UnofferedCalls {
  /** Over the whole turn: whatever the model makes in between, the count does not start again. */
  #refused = 0;
  /** Since the caller last had a say. */
  #hasCalls = false;
  #hasAnswer = false;

  /** The caller has answered the calls of a parked turn. */
  beginLeg(): void {
    this.#hasCalls = false;
    this.#hasAnswer = false;
  }

  noteShown({ type }: JsonObject): void {
    if (answers.has(type)) this.#hasAnswer = true;
  }

  /** An item of the stream that is not shown; gives how to end the turn, null where it may go on. */
  noteHidden(item: JsonObject): TurnOutcome | null {
    if (isToolCall(item)) this.#refused += 1;
    // Codex passes on items of types that it does not know, such as `shell_call` or `mcp_call`, as `other` and without content.
    if (isToolCall(item) || item.type === "tool_search_call" || item.type === "other") this.#hasCalls = true;
    return this.#refused > maxRefusedCalls ? tooManyRefusedCalls : null;
  }

  /** How a turn ended that Codex calls completed. */
  get completed(): TurnOutcome {
    return this.#hasCalls && !this.#hasAnswer ? nothingButCalls : { status: "completed" };
  }
}
