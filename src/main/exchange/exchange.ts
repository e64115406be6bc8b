import type { Pace } from "../../workers/contract/pace.js";
import { noUsage } from "../../workers/contract/turn.js";
import { createDeferred, watchLimits } from "../../workers/contract/wait.js";
import type { Owner } from "../continuation/owned-registry.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import { unmetObligations } from "../dialects/answers/obligations.js";
import type { FileAccess } from "../dialects/answers/wire-types.js";
import type { Answer, Dialect, DialectTurn, SentAnswer } from "../dialects/dialect.js";
import type { Capabilities } from "../dialects/requests/turn-request.js";
import type { Tool } from "../dialects/tools/tool-schemas.js";
import { CodexNativeApiError } from "../errors.js";
import type { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnResult,
  JsonObject,
  OnAdmission,
  TurnEvent,
  TurnStarted,
} from "../runtime/types.js";
import { ChainContinuation } from "./chain-continuation.js";
import type { Continuation, ContinuationOptions } from "./continuation.js";
import { type EncodingOptions, encodingOf } from "./encoding.js";
import { FileReads } from "./file-reads.js";
import { FinalAnswer } from "./final-answer.js";
import { HistoryContinuation } from "./history-continuation.js";
import { ProgressNotes, type TurnProgress } from "./turn-progress.js";

/** Takes an answer's events as they are made, never none. A returned promise holds the turn back, unless it runs in the background. */
export type EventSink = (events: readonly unknown[]) => void | Promise<void>;

export interface ExchangeOptions extends ContinuationOptions, EncodingOptions {
  /** Folders from which the turns of chat bridges may read files. Default: none. */
  readonly readableRoots?: readonly string[];
  /** Who asks, for fairness between callers. */
  readonly caller: string;
  readonly requestId: string;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  /** Called whenever its turn has come a step further. Default: not called. */
  readonly onProgress?: (() => void) | undefined;
  /** Called when it begins to run. */
  readonly onRun: (exchange: Exchange) => void;
  /** Takes the events of one that runs in the background, for those who follow it; null for others. */
  readonly log: ResponseEventLog | null;
  /** What it answers as one of several choices: its turn is then not kept. Default: it is the only one. */
  readonly choice?: Answer;
}

/** An exchange as its caller's side sees it, whether one turn answers the request or several do. */
export interface RequestExchange
  extends Pick<
    Exchange,
    | "id"
    | "turn"
    | "owner"
    | "dialect"
    | "log"
    | "ended"
    | "started"
    | "firstEventAtMs"
    | "fileAccess"
    | "outcome"
    | "progress"
    | "outputItems"
    | "prepare"
    | "run"
    | "warmUp"
    | "cancel"
    | "interrupt"
  > {
  readonly answer: SentAnswer;
}

export type ExchangeEnd =
  /** `unkept`: the registry failed, so that nobody finds the answer again. */
  | { readonly ok: true; readonly unkept?: CodexNativeApiError }
  /** The sink has had the error too, as the dialect's last event. */
  | { readonly ok: false; readonly error: CodexNativeApiError };

const completed = { status: "completed" } as const;

/**
 * One request and its answer, of any dialect:
 *
 *     new ── prepare ──▶ prepared ── run ──▶ running ──▶ ended
 *                                              │  ▲
 *                                   interrupt ─┴──┘ ends the answer at once; the turn follows
 *
 * `prepare` finds out what the turn continues, and throws before any event is sent. `run` admits the turn, passes its events through the
 * dialect to the sink, keeps what a later request may continue, and sends the last event. What is kept and found again is a `Continuation`;
 * what the wire looks like, the dialect's `Answer`. Stored answers, background ones and those who attach to them are options of the
 * turn, and of `Exchanges`. It knows no HTTP.
 */
export class Exchange implements RequestExchange {
  readonly owner: Owner;
  readonly answer: Answer;
  readonly dialect: Dialect;
  readonly #options: ExchangeOptions;
  readonly #continuation: Continuation;
  readonly #abort = new AbortController();
  readonly #end = createDeferred<ExchangeEnd>();
  /** Pauses between two steps of a large request, so that the event loop can run. */
  readonly #pace: Pace;
  /** What the model made, as it made it. */
  readonly #outputItems: JsonObject[] = [];
  readonly #notes: ProgressNotes;
  /** Picks what the caller gets of it; null: all of it. */
  #finalAnswer: FinalAnswer | null;
  #turn: DialectTurn;
  /** Answers the calls of a chat bridge's turn that read files; null for others. */
  #fileReads: FileReads | null;
  /** How many of the items no new beginning of the turn takes back. */
  #settledItems = 0;
  #state: "new" | "prepared" | "running" | "interrupted" | "ended" = "new";
  #started: TurnStarted | null = null;
  #firstEventAtMs: number | null = null;
  #outcome: IsolatedTurnResult["outcome"]["status"] | null = null;

  constructor(options: ExchangeOptions) {
    const { dialect, owner, wallClock, loopShare } = options;
    const { turn, reads } = FileReads.offer(options.turn, options.readableRoots ?? []);
    this.#turn = turn;
    this.#fileReads = reads;
    this.#finalAnswer = turn.bridgeTask === null ? null : new FinalAnswer();
    this.owner = owner;
    this.dialect = dialect;
    this.#options = options;
    this.#pace = loopShare.start();
    this.#notes = new ProgressNotes(options.clock, options.onProgress ?? (() => {}));
    const startedAtMs = wallClock();
    this.answer = options.choice ?? dialect.encode(turn, encodingOf(options));
    this.#tellFileAccess();
    const complete = (brought: readonly Tool[]) => this.#complete(brought);
    const context = { ...options, turn, answer: this.answer, pace: this.#pace, startedAtMs, complete };
    this.#continuation =
      dialect.continuesBy === "history" ? new HistoryContinuation(context) : new ChainContinuation(context);
  }

  /** Whole once the exchange is prepared: only then is it known which tools its history brought. */
  get turn(): DialectTurn {
    return this.#turn;
  }

  get id(): string {
    return this.answer.id;
  }

  /** Settles when its turn is over, also where the answer was interrupted before. Never rejects. */
  get ended(): Promise<ExchangeEnd> {
    return this.#end.promise;
  }

  /** The request's own items, references resolved; empty before `prepare`. */
  get inputItems(): ItemList {
    return this.#continuation.ownItems;
  }

  /** The events of one that runs in the background. */
  get log(): ResponseEventLog | null {
    return this.#options.log;
  }

  /** Native ids, once Codex has started the turn. */
  get started(): TurnStarted | null {
    return this.#started;
  }

  /** What a chat bridge's turn could read; null for others. */
  get fileAccess(): FileAccess | null {
    return this.#fileReads?.access ?? null;
  }

  /** When the turn's first event was sent, on the growing clock. */
  get firstEventAtMs(): number | null {
    return this.#firstEventAtMs;
  }

  /** How the turn ended; null while it runs, and where it failed. */
  get outcome(): IsolatedTurnResult["outcome"]["status"] | null {
    return this.#outcome;
  }

  /** How far its turn has come. */
  get progress(): TurnProgress {
    return this.#notes.soFar;
  }

  /** What the model has made so far, as it made it. */
  get outputItems(): readonly JsonObject[] {
    return this.#outputItems;
  }

  /** Throws `invalid_request` for an unknown `item_reference` or a choice of an unknown tool, `response_in_progress`, and what `readChain` throws. */
  async prepare(): Promise<void> {
    await this.#continuation.prepare();
    this.#notes.prepared();
    this.#state = "prepared";
  }

  /** Runs to the end. `signal` is the client's: background answers have none. `onAdmission`: the turn left the queue, or is back in it. */
  async run(sink: EventSink, signal: AbortSignal | null, onAdmission?: OnAdmission): Promise<ExchangeEnd> {
    if (this.#state !== "prepared") throw new Error(`An exchange that is ${this.#state} cannot be run.`);
    this.#state = "running";
    this.#options.onRun(this);
    const tell = this.#tellTo(sink);
    const unfollow = watchLimits({ signal }, () => this.#abort.abort(signal?.reason));
    let end: ExchangeEnd;
    try {
      if (this.turn.background) await tell(this.answer.queue?.() ?? []);
      await this.#pace.breathe();
      const result = await this.#follow(tell, onAdmission).catch((error) => this.#endEarly(error));
      end = await this.#finish(result, tell, signal);
    } catch (error) {
      end = await this.#fail(error, tell);
    }
    unfollow();
    this.#state = "ended";
    this.log?.close();
    this.#end.resolve(end);
    return end;
  }

  /**
   * Ends the answer with no output, and keeps the request for one that continues it, whose native thread may be started meanwhile. No turn
   * runs. Throws while none could. Of one that cannot be kept the sink hears nothing.
   */
  async warmUp(sink: EventSink): Promise<ExchangeEnd> {
    if (this.#state !== "prepared")
      throw new Error(`An exchange that is ${this.#state} cannot be warmed up.`);
    const { runtime } = this.#options;
    const { readiness } = runtime.health();
    // Before that it is not known whose account will continue it.
    if (!readiness.ready) throw CodexNativeApiError.fromTurnError(readiness.error);
    this.#state = "running";
    // Its end is kept too: who reads it later finds it completed.
    const events = this.answer.end({ outcome: completed, usage: noUsage, unmet: [] });
    let end: ExchangeEnd = { ok: true };
    try {
      await this.#continuation.keepUnfinished(null, []);
      await runtime.expectTurn?.(this.turn.request, this.#abort.signal);
      this.#outcome = "completed";
      await this.#tellTo(sink)(events);
    } catch (error) {
      end = { ok: false, error: CodexNativeApiError.fromUnknown(error) };
    }
    this.#state = "ended";
    this.#end.resolve(end);
    return end;
  }

  /** Cancels the turn; the answer ends when it has. */
  cancel(): void {
    this.#abort.abort();
  }

  /** Ends the answer now, whatever its turn does: the server can wait no longer. */
  async interrupt(error: CodexNativeApiError, sink: EventSink): Promise<ExchangeEnd> {
    this.cancel();
    this.#state = "interrupted";
    const end = await this.#fail(error, this.#tellTo(sink));
    this.log?.close();
    return end;
  }

  #complete(brought: readonly Tool[]): DialectTurn {
    const { turn: asked, readableRoots = [] } = this.#options;
    const capabilities = asked.offerWith?.(brought) ?? null;
    const whole = capabilities === null ? asked : withCapabilities(asked, capabilities);
    const { turn, reads } = FileReads.offer(whole, readableRoots);
    this.#turn = turn;
    this.#fileReads = reads;
    this.#tellFileAccess();
    return turn;
  }

  async #follow(tell: EventSink, onAdmission: OnAdmission | undefined): Promise<IsolatedTurnResult> {
    const { caller, owner, requestId, runtime, memory } = this.#options;
    const { stream, store, background } = this.turn;
    const followed = stream || background;
    const request = {
      ...this.turn.request,
      caller,
      owner,
      requestId,
      keepThread: store || memory !== null,
      followed,
    };
    const handlers: IsolatedTurnHandlers = this.#notes.watch({
      signal: this.#abort.signal,
      ...(onAdmission !== undefined && { onAdmission }),
      // A client that waits for the whole answer has seen nothing of this one.
      ...(!stream && !background && { onForget: () => this.#forget() }),
      onTurnStarted: (started) => {
        this.#started = started;
        onAdmission?.(true);
        // The first events are few, and nothing follows before they are taken.
        void tell(this.answer.start(started));
      },
      onEvent: (event) => {
        if (event.type === "item.completed") this.#outputItems.push(event.item);
        const events = this.#push(event);
        if (this.#isSatisfied) this.cancel();
        return tell(events);
      },
    });
    const result = await this.#continuation.run(request, handlers);
    if (this.#fileReads === null || this.#isSatisfied) return result;
    return this.#fileReads.answer(result, {
      signal: handlers.signal,
      remember: (items) => {
        this.#outputItems.push(...items);
        this.#settledItems = this.#outputItems.length;
      },
      resume: (turnId, outputs) => runtime.continueIsolatedTurn(turnId, outputs, handlers, request),
      replay: () => this.#continuation.replay(this.#outputItems, request, handlers),
      abandon: (turnId) => runtime.abandonTurn(turnId),
    });
  }

  async #finish(
    result: IsolatedTurnResult,
    tell: EventSink,
    signal: AbortSignal | null,
  ): Promise<ExchangeEnd> {
    this.#started = result;
    this.#tellFileAccess();
    const last = [
      ...this.answer.start(result),
      ...(this.#finalAnswer?.end() ?? []).flatMap((event) => this.answer.push(event)),
    ];
    const outcome = this.#isSatisfied ? completed : result.outcome;
    const made = this.#outputItems.filter((item) => this.#fileReads?.isOwnCall(item) !== true);
    const unmet = unmetObligations(this.turn.obligations, this.answer.asShown?.(made) ?? made);
    this.#notes.outputEnded(result.usage, unmet);
    const events = [...last, ...this.answer.end({ outcome, usage: result.usage, unmet })];
    this.#outcome = outcome.status;
    await this.#pace.breathe();
    // Before the client hears of the end: it may come back at once.
    const isToBeKept = this.#state === "running" && this.#options.choice === undefined;
    const kept = isToBeKept ? await this.#keep({ ...result, outcome }, signal) : false;
    // Nobody can name the parked turn again.
    if (kept !== true && result.outcome.status === "parked") this.#options.runtime.abandonTurn(result.turnId);
    await this.#pace.breathe();
    await tell(events);
    return kept instanceof CodexNativeApiError ? { ok: true, unkept: kept } : { ok: true };
  }

  /** Whether the answer is found again. A registry that fails costs no caller the answer, which is whole by now. */
  async #keep(
    result: IsolatedTurnResult,
    signal: AbortSignal | null,
  ): Promise<boolean | CodexNativeApiError> {
    try {
      return await this.#continuation.keep(result, this.#outputItems, signal);
    } catch (error) {
      return CodexNativeApiError.fromUnknown(error);
    }
  }

  get #isSatisfied(): boolean {
    return this.answer.isSatisfied === true;
  }

  /** A turn that fails after its answer is whole ended too late to harm it. */
  #endEarly(error: unknown): IsolatedTurnResult {
    if (!this.#isSatisfied || this.#started === null) throw error;
    return { ...this.#started, outcome: completed, usage: null };
  }

  async #fail(error: unknown, tell: EventSink): Promise<ExchangeEnd> {
    const fault = CodexNativeApiError.fromUnknown(error);
    const events = this.answer.fail(fault);
    // It ends as failed either way: a registry that cannot take it leaves it unknown, which is what callers then hear.
    if (this.turn.background) {
      await this.#continuation.keepUnfinished(this.#started, this.#outputItems).catch(() => undefined);
    }
    await tell(events);
    return { ok: false, error: fault };
  }

  #tellFileAccess(): void {
    if (this.#fileReads !== null) this.answer.setFileAccess?.(this.#fileReads.access);
  }

  #push(event: TurnEvent): readonly unknown[] {
    if (this.#fileReads?.takes(event) === true) return [];
    if (this.#finalAnswer === null) return this.answer.push(event);
    return this.#finalAnswer.push(event).flatMap((passed) => this.answer.push(passed));
  }

  #forget(): void {
    this.#outputItems.length = this.#settledItems;
    this.#fileReads?.forget();
    if (this.#finalAnswer !== null) this.#finalAnswer = new FinalAnswer();
    this.answer.forget();
    for (const item of this.#outputItems) this.#push({ type: "item.completed", item });
  }

  /** A reader never holds up a background answer: each reads the log at its own pace. */
  #tellTo(sink: EventSink): EventSink {
    const { log, clock } = this.#options;
    return (events) => {
      if (events.length === 0) return undefined;
      // A background answer is queued before its turn has begun.
      if (this.#started !== null) this.#firstEventAtMs ??= clock();
      if (log === null) return sink(events);
      for (const event of events) log.append(this.answer.encode([event]), log.nextSequenceNumber);
      void sink(events);
    };
  }
}

function withCapabilities(turn: DialectTurn, { request, obligations }: Capabilities): DialectTurn {
  return { ...turn, request: { ...turn.request, ...request }, obligations };
}
