import type { TurnErrorCode, TurnErrorData } from "../../workers/contract/errors.js";
import type { ItemChunk } from "../../workers/contract/item-chunk.js";
import type { JsonObject } from "../../workers/contract/json.js";
import type {
  CatalogModel as NativeModel,
  RateLimits,
  RateLimitWindow,
} from "../../workers/contract/native-queries.js";
import type {
  FunctionTool,
  PromptForm,
  TokenUsage,
  TurnProfile,
  WebSearchLocation,
  WebSearchOptions,
} from "../../workers/contract/turn.js";
import type {
  OutputItemType,
  ToolOutput,
  ToolOutputPart,
  TurnEvent,
  TurnOutcome,
} from "../../workers/contract/turn-messages.js";
import type { TurnPriority } from "../../workers/contract/turn-priority.js";
import type { ItemList, Items } from "../history/item-list.js";

export type {
  FunctionTool,
  ItemChunk,
  ItemList,
  Items,
  JsonObject,
  NativeModel,
  OutputItemType,
  PromptForm,
  RateLimits,
  RateLimitWindow,
  TokenUsage,
  ToolOutput,
  ToolOutputPart,
  TurnErrorCode,
  TurnErrorData,
  TurnEvent,
  TurnOutcome,
  TurnPriority,
  TurnProfile,
  WebSearchLocation,
  WebSearchOptions,
};

/** A turn on an ephemeral native thread of its own, with no part in any other thread of the user's. */
export interface IsolatedTurnRequest {
  /** Responses API items: the whole history the model is to see, in order. Those of HTTP callers come packed. */
  readonly items: Items;
  /**
   * Messages of the service's own for this turn alone, after all items. The native thread is not kept after a turn that had
   * any, for they would stay in it. Default: none.
   */
  readonly directives?: readonly JsonObject[];
  /** Model id of the catalog. Default: the configured model, else the catalog's default. */
  readonly model?: string;
  /** Base instructions. Default: none. */
  readonly instructions?: string;
  readonly tools?: readonly FunctionTool[];
  /** Codex's own web search, with its options or as Codex has it. Default: off. */
  readonly webSearch?: WebSearchOptions | boolean;
  readonly effort?: string;
  readonly summary?: "auto" | "concise" | "detailed";
  readonly verbosity?: "low" | "medium" | "high";
  readonly serviceTier?: string;
  /** JSON schema that the final message must obey. */
  readonly outputSchema?: JsonObject;
  /** Whether the native thread stays loaded for `continueThread`, as far as there is room. Default: no. */
  readonly keepThread?: boolean;
  /** Whether the output is wanted as it comes. `false` gets the same output in few, large pieces, at less cost. Default: true. */
  readonly followed?: boolean;
  /** What kind of side task this is, for logs and `native_api`. */
  readonly taskClass?: string;
  /**
   * Codex account that the turn may run under, for work that continues some of that account's. Another one in force ends it
   * with `continuation_account_mismatch`. Default: whichever is logged in.
   */
  readonly accountId?: string | null;
  /** Who asks, for fairness between callers. Default: one shared caller. */
  readonly caller?: string;
  /** `background`: for batches, which let interactive turns go first. Default: `interactive`. */
  readonly priority?: TurnPriority;
  /**
   * When the caller's own time is over, as `performance.now()` counts: a turn that still waits then is refused with
   * `queue_timeout`. Default: the queue's own bound alone.
   */
  readonly deadlineAtMs?: number;
  /** Whose turn it is: parked, only they find it. Default and null: nobody's, so that everybody does. */
  readonly owner?: string | null;
  /** Request id of the caller's, for logs. */
  readonly requestId?: string;
}

/** How a turn waits for its place, and for how long its caller does. */
export type TurnTerms = Pick<IsolatedTurnRequest, "priority" | "deadlineAtMs">;

/** True: the turn left the queue, and its own time begins. False: the backend had no room for it yet, and it waits again. */
export type OnAdmission = (isAdmitted: boolean) => void;

/** How the caller of a turn follows it, holds it back, or gives it up. */
export interface IsolatedTurnHandlers {
  readonly onAdmission?: OnAdmission;
  /** Codex took the turn on. */
  readonly onTurnStarted?: (started: TurnStarted) => void;
  /**
   * Each event in order, `turn.started` and `turn.ended` excepted. A returned promise holds back further events of this
   * turn only; a throw or rejection cancels the turn.
   */
  readonly onEvent?: (event: TurnEvent) => void | Promise<void>;
  /**
   * The ground under the turn broke and what was told of it does not hold: it may begin anew. Only for one who has passed
   * nothing of it on; without this, a turn that has told anything ends with the error.
   */
  readonly onForget?: () => void;
  /** Aborting gives the turn up, in the queue or while it runs. */
  readonly signal?: AbortSignal;
}

/** Who and what ran a turn: `request_target` in `native_api`. */
export interface RequestTarget {
  readonly providerProfileId: string;
  readonly providerKind: string;
  readonly accountId: string | null;
  readonly workerId: string;
  readonly appServerGeneration: number;
  /** The organisation's texts that Codex put before the caller's items, by name. Default: none. */
  readonly managedTexts?: readonly string[];
}

/** Codex took a turn on: its native ids, and who runs it. */
export interface TurnStarted {
  readonly threadId: string;
  readonly turnId: string;
  readonly model: string;
  /** The form that its prompt had. Default: unknown. */
  readonly promptForm?: PromptForm;
  readonly target: RequestTarget;
  /** How it waited. Default: it did not. */
  readonly queue?: QueueWait;
}

/** A turn's time in the queue, over all of its waits. */
export interface QueueWait {
  readonly waitedMs: number;
  /** How often the backend refused it as one too many; each time it went back into the queue. */
  readonly refusals: number;
}

/** How a turn, or one stretch of it, ended. Never `failed`: a failed turn rejects with a `CodexNativeApiError`. */
export type IsolatedTurnOutcome =
  | Exclude<TurnOutcome, { readonly status: "failed" }>
  /** The model called functions and waits: `continueIsolatedTurn` with their outputs, within the parking time. */
  | { readonly status: "parked"; readonly callIds: readonly string[] };

/** How a turn, or one leg of it, ended, and what it used. */
export interface IsolatedTurnResult extends TurnStarted {
  readonly outcome: IsolatedTurnOutcome;
  /** Sum over the turn's model calls; null when Codex reported none. */
  readonly usage: TokenUsage | null;
}

/** Who is logged in, as Codex says it. */
export interface NativeAccount {
  /** ChatGPT account id; null where the login has none (API key, custom provider). */
  readonly id: string | null;
  readonly email: string | null;
  readonly plan: string | null;
  /** `chatgpt`, `apiKey`, …; `none` where the provider needs no login. */
  readonly authMode: string;
}

/** Whether turns can run now, and if not, why. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly error: TurnErrorData };

/** Where a worker thread and its connection stand. */
export type WorkerSlotState =
  /** Its thread is starting. */
  | "booting"
  /** It dials, or waits to dial again. */
  | "connecting"
  /** It takes turns. */
  | "ready"
  /** Connected, but the thread or its app-server has not answered lately: it gets no new turns until one does. */
  | "silent"
  | "stopping"
  | "stopped";

/** One worker thread with its connection to the app-server. */
export interface WorkerHealth {
  readonly id: string;
  readonly generation: number;
  readonly state: WorkerSlotState;
  readonly activeTurns: number;
  readonly completedTurns: number;
  readonly reconnects: number;
  /** Calls that Codex has left unanswered for more than five seconds while it answers others. Default: none. */
  readonly hangingCalls?: number;
  /** Faults counted since the thread began, by name. Default: none. */
  readonly faults?: Readonly<Record<string, number>>;
  /** Age of the worker's last report in milliseconds; null before the first. */
  readonly lastReportAgeMs: number | null;
  readonly eventLoopDelayMs: number | null;
}

/** The app-server process as it is now; of one that is not ours, only what is known of it. */
export interface AppServerHealth {
  readonly generation: number;
  readonly pid: number | null;
  readonly rssBytes: number | null;
  readonly restarts: number;
  readonly uptimeMs: number | null;
  readonly loadedThreads: number | null;
  /** `shared`, `stdio`, `unix` or `tcp`. */
  readonly transport: string;
}

/** Native threads started ahead of need. */
export interface SpareThreadsHealth {
  /** There, or being started. */
  readonly ready: number;
  /** Turns that had one, since the start. */
  readonly taken: number;
  /** Turns that had to start a thread of their own. */
  readonly missed: number;
  /** Threads that were given up unused: each had asked the backend to warm up, on the user's plan. */
  readonly discarded: number;
}

/** One learned limit. */
export interface UpstreamLimitHealth {
  /** Null: of the whole account. */
  readonly model: string | null;
  readonly limit: number;
  readonly running: number;
  /** The lowest number of turns at once that the backend refused. */
  readonly ceiling: number | null;
}

/** Connections of an account to its backend: what is held, of how many. */
export interface UpstreamConnectionsHealth {
  readonly held: number;
  /** Null where there is none. */
  readonly bound: number | null;
  /** How many were refused since the start. */
  readonly refused: number;
}

/** What the account in force lets run at once, as far as it was learned. */
export interface UpstreamLimitsHealth {
  readonly limits: readonly UpstreamLimitHealth[];
  /** Turns that the backend refused as one too many since the start; nearly all went back into the queue. */
  readonly refusals: number;
  readonly connections: UpstreamConnectionsHealth;
}

/** A model whose prompts have another form than its catalog entry says, since the backend refused that one. */
export interface PromptFormHealth {
  readonly model: string;
  /** Of prompts with web search alone, or of those without. */
  readonly webSearch: boolean;
  readonly form: PromptForm;
  /** Milliseconds since the epoch. After a day the model's own form is tried again. */
  readonly learnedAtMs: number;
}

/** The forms of prompts that were found to be taken. */
export interface PromptFormsHealth {
  readonly models: readonly PromptFormHealth[];
  /** How often another form than before was found to answer, since the start. */
  readonly changes: number;
}

/** Built from what is already known: reading it never waits for Codex. */
export interface NativeRuntimeHealth {
  readonly readiness: Readiness;
  readonly providerProfileId: string;
  readonly providerKind: string;
  readonly account: NativeAccount | null;
  readonly rateLimits: RateLimits | null;
  readonly codexVersion: string | null;
  /** The organisation's texts that Codex puts into each prompt, by name. Default: none. */
  readonly managedTexts?: readonly string[];
  readonly profile: TurnProfile;
  readonly appServer: AppServerHealth | null;
  readonly workers: readonly WorkerHealth[];
  readonly queue: { readonly depth: number; readonly running: number };
  readonly spareThreads: SpareThreadsHealth;
  /** Default: none are known. */
  readonly upstreamLimits?: UpstreamLimitsHealth;
  /** Default: every model has its own form. */
  readonly promptForms?: PromptFormsHealth;
  /** Features that this Codex version or backend lacks, by name. */
  readonly degraded: readonly string[];
}

/** One turn, or one leg of it, seen from outside, when it is over. */
export interface TurnObservation {
  readonly outcome: IsolatedTurnOutcome["status"] | "failed";
  /** The error's code; null unless it failed. */
  readonly code: string | null;
  readonly model: string | null;
  /** In the queue, in milliseconds. */
  readonly waitedMs: number;
  /** From leaving the queue to the first event of the model's output; null if there was none. */
  readonly firstEventMs: number | null;
  /** From leaving the queue to the end. */
  readonly durationMs: number;
  readonly usage: TokenUsage | null;
  /** Whether Codex may have asked the model again after calls that were handed to the caller; what it was answered is dropped. */
  readonly mayHaveAskedAgain: boolean;
}

/** Told of what a runtime does, for metrics. Must not throw. */
export interface NativeRuntimeObserver {
  onTurnEnded(observation: TurnObservation): void;
}

/** How health is looked at. */
export interface HealthOptions {
  /**
   * Somebody looks: what is old is read in the background, for the next look (the plan's windows after five minutes without news,
   * which are requests to the backend; loaded threads after five seconds). Default false.
   */
  readonly refresh?: boolean;
}

/** What the HTTP layer needs of a runtime. `CodexNativeRuntime` is one; tests have others. */
export interface NativeTurnRuntime {
  /** What is known of Codex, login and turns. Never waits and never throws. */
  health(options?: HealthOptions): NativeRuntimeHealth;
  /** The catalog, hidden models left out. Rejects with `native_runtime_unavailable` or `native_login_required`. */
  listModels(): Promise<readonly NativeModel[]>;
  /**
   * Runs one isolated turn to its end. Rejects with a `CodexNativeApiError`: admission (`queue_full`, `queue_timeout`),
   * readiness, or the turn's own failure.
   */
  runIsolatedTurn(request: IsolatedTurnRequest, handlers?: IsolatedTurnHandlers): Promise<IsolatedTurnResult>;
  /**
   * Answers the calls of a parked turn, which then goes on. Resolves with null when that turn is no longer parked: the caller
   * then replays the history. `terms`: how the turn waits now, whatever was said before. Rejects as `runIsolatedTurn` does.
   */
  continueIsolatedTurn(
    turnId: string,
    outputs: readonly ToolOutput[],
    handlers?: IsolatedTurnHandlers,
    terms?: TurnTerms,
  ): Promise<IsolatedTurnResult | null>;
  /**
   * Runs a turn on the native thread of an earlier one, which has seen the history: `request.items` is only what is new.
   * Resolves with null when that thread is not loaded, has moved on since, or has other settings: the caller then replays the
   * history. Rejects as `runIsolatedTurn` does.
   */
  continueThread(
    source: { readonly threadId: string; readonly turnId: string },
    request: IsolatedTurnRequest,
    handlers?: IsolatedTurnHandlers,
  ): Promise<IsolatedTurnResult | null>;
  /** Unloads a native thread that nobody will continue. */
  releaseThread(threadId: string): void;
  /** The parked turn that waits for an output of one of these calls and is the owner's, or nobody's; null when none does. */
  findParkedTurn(callIds: readonly string[], owner?: string | null): string | null;
  /** Gives a parked turn up: nobody will answer its calls. */
  abandonTurn(turnId: string): void;
}
