import type { LoopShare, Pace } from "../../workers/contract/pace.js";
import type { Owner } from "../continuation/owned-registry.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type { CodexNativeApiContinuationRegistry } from "../continuation/types.js";
import { unmetObligations } from "../dialects/answers/obligations.js";
import type { Answer, Dialect, DialectTurn } from "../dialects/dialect.js";
import { CodexNativeApiError } from "../errors.js";
import type { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnHandlers,
  IsolatedTurnResult,
  JsonObject,
  NativeTurnRuntime,
  OnAdmission,
  TurnStarted,
} from "../runtime/types.js";
import { ChainContinuation } from "./chain-continuation.js";
import type { Continuation } from "./continuation.js";
import { HistoryContinuation } from "./history-continuation.js";
import type { ItemIndex } from "./item-index.js";
import type { ParkedHistories } from "./parked-histories.js";

/** Takes an answer's events as they are made, never none. A returned promise holds the turn back, unless it runs in the background. */
export type EventSink = (events: readonly unknown[]) => void | Promise<void>;

export interface ExchangeOptions {
  readonly dialect: Dialect;
  readonly turn: DialectTurn;
  /** Who asks, for fairness between callers. */
  readonly caller: string;
  readonly owner: Owner;
  readonly requestId: string;
  /** Unix time in milliseconds. */
  readonly wallClock: () => number;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  readonly newId: (prefix: string) => string;
  readonly runtime: NativeTurnRuntime;
  /** The owner's part of it. */
  readonly registry: CodexNativeApiContinuationRegistry;
  readonly itemIndex: ItemIndex;
  readonly parkedHistories: ParkedHistories;
  readonly loopShare: LoopShare;
  /** Whether a response of this owner's is being made, and will be stored. */
  readonly isRunning: (responseId: string) => boolean;
  /** Called when it begins to run. */
  readonly onRun: (exchange: Exchange) => void;
  /** Takes the events of one that runs in the background, for those who follow it; null for others. */
  readonly log: ResponseEventLog | null;
}

export type ExchangeEnd =
  | { readonly ok: true }
  /** The sink has had the error too, as the dialect's last event. */
  | { readonly ok: false; readonly error: CodexNativeApiError };

/**
 * One request and its answer, of any dialect:
 *
 *     new ── prepare ──▶ prepared ── run ──▶ running ──▶ ended
 *                                              │  ▲
 *                                   interrupt ─┴──┘ ends the answer at once; the turn follows
 *
 * `prepare` finds out what the turn takes up, and throws before anything is told. `run` admits the turn, passes its events through the
 * dialect to the sink, keeps what a later request may go on with, and tells the end. What is kept and found again is a `Continuation`;
 * what the wire looks like, the dialect's `Answer`. Stored answers, background ones and those who attach to them are options of the
 * turn, and of `Exchanges`. It knows no HTTP.
 */
export class Exchange {
  readonly turn: DialectTurn;
  readonly owner: Owner;
  readonly answer: Answer;
  readonly dialect: Dialect;
  /** Settles when its turn is over, also where the answer was interrupted before. Never rejects. */
  readonly ended: Promise<ExchangeEnd>;
  readonly #options: ExchangeOptions;
  readonly #continuation: Continuation;
  readonly #abort = new AbortController();
  /** A large request is looked at again and again; between two looks the event loop goes on. */
  readonly #pace: Pace;
  /** What the model made, as it made it. */
  readonly #outputItems: JsonObject[] = [];
  #state: "new" | "prepared" | "running" | "interrupted" | "ended" = "new";
  #started: TurnStarted | null = null;
  #firstEventAtMs: number | null = null;
  #outcome: IsolatedTurnResult["outcome"]["status"] | null = null;
  #settle: (end: ExchangeEnd) => void = () => {};

  constructor(options: ExchangeOptions) {
    const { dialect, turn, owner, wallClock, newId, loopShare } = options;
    this.turn = turn;
    this.owner = owner;
    this.dialect = dialect;
    this.#options = options;
    this.#pace = loopShare.start();
    const startedAtMs = wallClock();
    this.answer = dialect.encode(turn, { routePath: dialect.route, wallClock, newId });
    const context = { ...options, answer: this.answer, pace: this.#pace, startedAtMs };
    this.#continuation =
      dialect.continuesBy === "history" ? new HistoryContinuation(context) : new ChainContinuation(context);
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get id(): string {
    return this.answer.id;
  }

  /** The request's own items, references resolved; empty before `prepare`. */
  get inputItems(): ItemList {
    return this.#continuation.ownItems;
  }

  /** The events of one that runs in the background. */
  get log(): ResponseEventLog | null {
    return this.#options.log;
  }

  /** Native ids, once Codex took the turn on. */
  get started(): TurnStarted | null {
    return this.#started;
  }

  /** When the turn's first event was told, on the growing clock. */
  get firstEventAtMs(): number | null {
    return this.#firstEventAtMs;
  }

  /** How the turn ended; null while it runs, and where it failed. */
  get outcome(): IsolatedTurnResult["outcome"]["status"] | null {
    return this.#outcome;
  }

  /** Throws `invalid_request` for an unknown `item_reference`, `response_in_progress`, and what `readChain` throws. */
  async prepare(): Promise<void> {
    await this.#continuation.prepare();
    this.#state = "prepared";
  }

  /** Runs to the end. `signal` is the client's: background answers have none. `onAdmission`: the turn left the queue, or is back in it. */
  async run(sink: EventSink, signal: AbortSignal | null, onAdmission?: OnAdmission): Promise<ExchangeEnd> {
    if (this.#state !== "prepared") throw new Error(`An exchange that is ${this.#state} cannot be run.`);
    this.#state = "running";
    this.#options.onRun(this);
    const tell = this.#tellTo(sink);
    let end: ExchangeEnd;
    try {
      if (this.turn.background) await tell(this.answer.queue?.() ?? []);
      await this.#pace.breathe();
      const result = await this.#follow(tell, signal, onAdmission);
      end = await this.#finish(result, tell, signal);
    } catch (error) {
      end = await this.#fail(error, tell);
    }
    this.#state = "ended";
    this.log?.close();
    this.#settle(end);
    return end;
  }

  /** Gives the turn up; the answer ends when it has. */
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

  #follow(
    tell: EventSink,
    clientSignal: AbortSignal | null,
    onAdmission: OnAdmission | undefined,
  ): Promise<IsolatedTurnResult> {
    const { caller, owner, requestId } = this.#options;
    const { request, stream, store, background } = this.turn;
    const own = this.#abort.signal;
    const handlers: IsolatedTurnHandlers = {
      signal: clientSignal === null ? own : AbortSignal.any([clientSignal, own]),
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
        return tell(this.answer.push(event));
      },
    };
    const followed = stream || background;
    return this.#continuation.run(
      { ...request, caller, owner, requestId, keepThread: store, followed },
      handlers,
    );
  }

  async #finish(
    result: IsolatedTurnResult,
    tell: EventSink,
    signal: AbortSignal | null,
  ): Promise<ExchangeEnd> {
    const { outcome, usage } = result;
    this.#started = result;
    const unmet = unmetObligations(this.turn.obligations, this.#outputItems);
    const events = [...this.answer.start(result), ...this.answer.end({ outcome, usage, unmet })];
    this.#outcome = outcome.status;
    await this.#pace.breathe();
    const isKept =
      this.#state === "running" &&
      // Before the client hears of the end: it may come back at once.
      (await this.#continuation.keep(result, this.#outputItems, signal));
    // Nobody can name the parked turn again.
    if (!isKept && outcome.status === "parked") this.#options.runtime.abandonTurn(result.turnId);
    await this.#pace.breathe();
    await tell(events);
    return { ok: true };
  }

  async #fail(error: unknown, tell: EventSink): Promise<ExchangeEnd> {
    const fault = CodexNativeApiError.fromUnknown(error);
    const events = this.answer.fail(fault);
    // It ends as failed either way: a registry that cannot take it leaves it unknown, which is what callers then hear.
    if (this.turn.background) {
      await this.#continuation.keepFailed(this.#started, this.#outputItems).catch(() => undefined);
    }
    await tell(events);
    return { ok: false, error: fault };
  }

  #forget(): void {
    this.#outputItems.length = 0;
    this.answer.forget();
  }

  /** What runs in the background is held back by no reader: each reads the log at its own pace. */
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
