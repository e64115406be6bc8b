import type { LoopShare, Pace } from "../../workers/contract/pace.js";
import type { Owner } from "../continuation/owned-registry.js";
import { type ContinuationMode, planTurn, runPlannedTurn, type TurnPlan } from "../continuation/plan-turn.js";
import type { ResponseEventLog } from "../continuation/response-event-log.js";
import type {
  CodexNativeApiContinuationRegistry,
  ContinuationIdentity,
  NewContinuationRecord,
} from "../continuation/types.js";
import { unmetObligations } from "../dialects/answers/obligations.js";
import { refuseUnpairedCalls } from "../dialects/responses/call-pairs.js";
import { ResponseEventEncoder } from "../dialects/responses/encode-event.js";
import type { ResponsesTurn } from "../dialects/responses/request-to-turn.js";
import type { ResponseObject } from "../dialects/responses/response-object.js";
import { ResponseEventStream } from "../dialects/responses/response-stream.js";
import type { ResponseEvent } from "../dialects/responses/wire-events.js";
import { CodexNativeApiError } from "../errors.js";
import { ItemList } from "../history/item-list.js";
import type {
  IsolatedTurnResult,
  JsonObject,
  NativeTurnRuntime,
  OnAdmission,
  TurnEvent,
  TurnStarted,
} from "../runtime/types.js";
import type { ItemIndex } from "./item-index.js";
import { fingerprintThread } from "./thread-fingerprint.js";

/** Takes a response's events as they are made. A returned promise holds the turn back, unless it runs in the background. */
export type ResponseSink = (events: readonly ResponseEvent[]) => void | Promise<void>;

export interface ResponseRunOptions {
  readonly turn: ResponsesTurn;
  readonly routePath: string;
  /** Who asks, for fairness between callers. */
  readonly caller: string;
  readonly requestId: string;
  readonly wallClock: () => number;
  readonly newId: (prefix: string) => string;
  readonly runtime: NativeTurnRuntime;
  /** The owner's part of it. */
  readonly registry: CodexNativeApiContinuationRegistry;
  readonly owner: Owner;
  readonly itemIndex: ItemIndex;
  readonly loopShare: LoopShare;
  /** Whether a response of this owner's is being made, and will be stored. */
  readonly isRunning: (responseId: string) => boolean;
  /** Called when it begins to run. */
  readonly onRun: (run: ResponseRun) => void;
  /** Takes the events of one that runs in the background, for those who follow it; null for others. */
  readonly log: ResponseEventLog | null;
}

export type RunEnd =
  | { readonly ok: true }
  /** The sink has had the terminal event. */
  | { readonly ok: false; readonly error: CodexNativeApiError };

/** One response from its request to its end: plans the turn, runs it, tells its events, stores what it became. */
export class ResponseRun {
  readonly stream: ResponseEventStream;
  /** Never rejects. */
  readonly ended: Promise<RunEnd>;
  readonly #options: ResponseRunOptions;
  readonly #encoder = new ResponseEventEncoder();
  readonly #abort = new AbortController();
  readonly #startedAtMs: number;
  /** A large request is looked at again and again; between two looks the event loop goes on. */
  readonly #pace: Pace;
  /** What the model made, as it made it. */
  readonly #outputItems: JsonObject[] = [];
  #plan: TurnPlan | null = null;
  #fingerprint: string | null = null;
  #ownItems = ItemList.empty;
  #started: TurnStarted | null = null;
  #outcome: IsolatedTurnResult["outcome"]["status"] | null = null;
  #settle: (end: RunEnd) => void = () => {};

  constructor(options: ResponseRunOptions) {
    this.#options = options;
    this.#pace = options.loopShare.start();
    const { turn, routePath, wallClock, newId } = options;
    this.#startedAtMs = wallClock();
    this.stream = new ResponseEventStream({ turn, routePath, wallClock, newId });
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get id(): string {
    return this.stream.id;
  }

  get background(): boolean {
    return this.#options.turn.background;
  }

  get owner(): Owner {
    return this.#options.owner;
  }

  /** The request's own items, references resolved; empty before `prepare`. */
  get inputItems(): ItemList {
    return this.#ownItems;
  }

  /** The events of one that runs in the background. */
  get log(): ResponseEventLog | null {
    return this.#options.log;
  }

  /** As it stands. */
  get response(): ResponseObject {
    return this.stream.response;
  }

  /** As it stands where it failed with this error, also before its turn began. */
  failedResponse(error: CodexNativeApiError): ResponseObject {
    this.stream.fail(error);
    return this.stream.response;
  }

  /** Native ids, once Codex took the turn on. */
  get started(): TurnStarted | null {
    return this.#started;
  }

  /** How the turn ended; null while it runs, and where it failed. */
  get outcome(): IsolatedTurnResult["outcome"]["status"] | null {
    return this.#outcome;
  }

  cancel(): void {
    this.#abort.abort();
  }

  /**
   * Finds out what the turn takes up, before anything is told. Throws `invalid_request` for an unknown `item_reference`,
   * `response_in_progress`, and what `readChain` throws.
   */
  async prepare(): Promise<void> {
    const { turn, registry, owner, itemIndex } = this.#options;
    const pace = this.#pace;
    const items = await itemIndex.resolve(turn.request.items, { registry, owner, pace });
    const plan = await this.#planTurn(items);
    if (!turn.isPaired) await refuseUnpairedCalls(plan.history, items, pace, plan.echoes);
    this.#plan = plan;
    this.#ownItems = plan.ownItems;
    this.#describeContinuation(plan.resume === null ? "replayed" : "native");
  }

  async #planTurn(items: ItemList): Promise<TurnPlan> {
    const { turn, runtime, registry, owner, wallClock, isRunning } = this.#options;
    const { previousResponseId } = turn;
    const settings = this.#threadSettings;
    await this.#pace.breathe();
    // Asked before the registry is: what runs is stored a moment before it counts as ended.
    const isMadeYet = previousResponseId !== null && isRunning(previousResponseId);
    try {
      return await planTurn(registry, runtime, {
        previousResponseId,
        items,
        settings,
        model: turn.request.model,
        identity: this.#identity(),
        owner,
        now: wallClock(),
        pace: this.#pace,
      });
    } catch (error) {
      if (isMadeYet && CodexNativeApiError.fromUnknown(error).code === "continuation_not_found") {
        throw inProgress(previousResponseId);
      }
      throw error;
    }
  }

  /** Runs to the end. `signal` is the client's: background responses have none. `onAdmission`: the turn left the queue, or is back in it. */
  async run(sink: ResponseSink, signal: AbortSignal | null, onAdmission?: OnAdmission): Promise<RunEnd> {
    this.#options.onRun(this);
    const tell = this.#logged(sink);
    let end: RunEnd;
    try {
      if (this.background) await tell(this.stream.queue());
      end = await this.#run(tell, signal, onAdmission);
    } catch (error) {
      end = await this.#fail(error, tell);
    }
    this.log?.close();
    this.#settle(end);
    return end;
  }

  /** Ends the response now, whatever its turn does: the server can wait no longer. */
  async interrupt(error: CodexNativeApiError, sink: ResponseSink): Promise<RunEnd> {
    this.cancel();
    const end = await this.#fail(error, this.#logged(sink));
    this.log?.close();
    return end;
  }

  async #run(
    sink: ResponseSink,
    clientSignal: AbortSignal | null,
    onAdmission: OnAdmission | undefined,
  ): Promise<RunEnd> {
    const { turn, runtime, caller, owner, requestId } = this.#options;
    await this.#pace.breathe();
    const plan = this.#plan;
    if (plan === null) throw new Error("A response is prepared before it is run.");
    const signal =
      clientSignal === null ? this.#abort.signal : AbortSignal.any([clientSignal, this.#abort.signal]);
    const { result, mode } = await runPlannedTurn(
      runtime,
      plan,
      {
        ...turn.request,
        caller,
        owner,
        requestId,
        keepThread: turn.store,
        followed: turn.stream || this.background,
        ...accountOf(plan),
      },
      {
        signal,
        ...(onAdmission !== undefined && { onAdmission }),
        ...(!turn.stream && !this.background && { onForget: () => this.#forget() }),
        onTurnStarted: (started) => {
          this.#started = started;
          onAdmission?.(true);
          // The first events are few, and nothing follows before they are taken.
          void sink(this.stream.start(started));
        },
        onEvent: (event) => {
          this.#collect(event);
          return sink(this.stream.push(event));
        },
      },
    );
    this.#describeContinuation(mode);
    return this.#finish(result, sink);
  }

  async #finish(result: IsolatedTurnResult, sink: ResponseSink): Promise<RunEnd> {
    const { turn, runtime } = this.#options;
    this.#started = result;
    this.#outcome = result.outcome.status;
    const parked = result.outcome.status === "parked" ? result.outcome.callIds : [];
    const events = [...this.stream.start(result)];
    this.stream.addIgnored(unmetObligations(turn.obligations, this.#outputItems));
    events.push(...this.stream.end(result.outcome, result.usage));
    await this.#pace.breathe();
    // Before the client hears of the end: it may come back at once.
    const isWanted = turn.store && (this.background || result.outcome.status !== "cancelled");
    if (isWanted) await this.#store(result, parked);
    // Without a stored response nobody can name the parked turn again.
    else if (parked.length > 0) runtime.abandonTurn(result.turnId);
    await this.#pace.breathe();
    await sink(events);
    return { ok: true };
  }

  async #fail(error: unknown, sink: ResponseSink): Promise<RunEnd> {
    const fault = CodexNativeApiError.fromUnknown(error);
    const cancelled = fault.code === "turn_cancelled";
    const events = cancelled ? this.stream.end({ status: "cancelled" }, null) : this.stream.fail(fault);
    // It ends as failed either way: a registry that cannot take it leaves it unknown, which is what callers then hear.
    if (this.background) await this.#storeFailed().catch(() => undefined);
    await sink(events);
    return { ok: false, error: fault };
  }

  /** Its client waits for the whole answer, and has seen nothing of this one. */
  #forget(): void {
    this.#outputItems.length = 0;
    this.stream.forget();
  }

  #collect(event: TurnEvent): void {
    if (event.type === "item.completed") this.#outputItems.push(event.item);
  }

  /** What runs in the background is held back by no reader: each reads the log at its own pace. */
  #logged(sink: ResponseSink): ResponseSink {
    const { log } = this.#options;
    if (log === null) return sink;
    return (events) => {
      for (const event of events) log.append(this.#encoder.encode([event]), event.sequence_number);
      void sink(events);
    };
  }

  #identity(): ContinuationIdentity {
    const { account, providerProfileId } = this.#options.runtime.health();
    return { providerProfileId, accountId: account?.id ?? null };
  }

  #describeContinuation(mode: ContinuationMode): void {
    const source = this.#plan?.source ?? null;
    this.stream.setContinuation(
      source === null
        ? null
        : {
            mode,
            previousResponseId: source.responseId,
            threadId: source.nativeThreadId,
            turnId: source.nativeTurnId,
          },
    );
  }

  async #store(result: IsolatedTurnResult, parkedCallIds: readonly string[]): Promise<void> {
    const { registry, itemIndex, runtime } = this.#options;
    const record = this.#record(result, parkedCallIds);
    const stored = await registry.put(record);
    if (stored.status === "stored") await itemIndex.add(record, this.#pace);
    else if (parkedCallIds.length > 0) runtime.abandonTurn(result.turnId);
  }

  /** A background response that failed can still be read, and is no one's ancestor that the model would answer on. */
  async #storeFailed(): Promise<void> {
    const { registry, turn } = this.#options;
    const { providerProfileId, accountId } = this.#identity();
    const nowhere = { threadId: "", turnId: "", model: turn.echo.model ?? "" };
    const started = this.#started ?? {
      ...nowhere,
      target: { providerProfileId, providerKind: "", accountId, workerId: "", appServerGeneration: 0 },
    };
    await registry.put(this.#record(started, []));
  }

  /** For comparing: made once, since tools may be megabytes. */
  get #threadSettings(): string {
    this.#fingerprint ??= fingerprintThread(this.#options.turn.request);
    return this.#fingerprint;
  }

  #record(started: TurnStarted, parkedCallIds: readonly string[]): NewContinuationRecord {
    return {
      responseId: this.id,
      previousResponseId: this.#plan?.source?.responseId ?? null,
      nativeThreadId: started.threadId,
      nativeTurnId: started.turnId,
      activeAccountId: started.target.accountId,
      providerProfileId: started.target.providerProfileId,
      model: started.model,
      owner: this.owner,
      routeKind: "responses",
      startedAt: this.#startedAtMs,
      threadSettings: this.#threadSettings,
      inputItems: this.#ownItems,
      outputItems: this.#outputItems,
      parkedCallIds,
      response: { ...this.stream.response },
    };
  }
}

/** What continues an account's work runs under that account or not at all. */
function accountOf({ source }: TurnPlan): { readonly accountId?: string | null } {
  return source === null ? {} : { accountId: source.activeAccountId };
}

/** How long a caller waits before it asks again whether the response before is there, in milliseconds. */
const inProgressRetryMs = 2_000;

function inProgress(responseId: string): CodexNativeApiError {
  return new CodexNativeApiError(
    "response_in_progress",
    `Response '${responseId.slice(0, 64)}' is still being made. Continue it when it has ended.`,
    { param: "previous_response_id", retryAfterMs: inProgressRetryMs },
  );
}
