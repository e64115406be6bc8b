import type { ClientToolKind } from "../../workers/contract/client-tools.js";
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
  TurnPriority,
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
import type { ItemList, Items } from "../history/item-list.js";
import type {
  AppServerHealth,
  CatalogHealth,
  PromptFormsHealth,
  SpareThreadsHealth,
  UpstreamLimitsHealth,
  WorkerHealth,
} from "./part-health.js";

export type * from "./part-health.js";

export type {
  ClientToolKind,
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
   * Messages of the service's own for this turn alone, before the last message or, with their calls, the last outputs among the
   * items. The native thread is not kept after a turn that had any, for they would stay in it. Default: none.
   */
  readonly directives?: readonly JsonObject[];
  /** Name of a model: an id of the catalog, an alias or another form of them. Default: the configured model, else the catalog's default. */
  readonly model?: string;
  /**
   * The name that `model` was resolved from, by `resolveModel`, null where the caller gave none: `model` is then an id, and nothing else
   * is made of it. Default: `model` is resolved when the turn is run.
   */
  readonly requestedModel?: string | null;
  /** Base instructions. Default: none. */
  readonly instructions?: string;
  readonly tools?: readonly FunctionTool[];
  /** Codex's own web search, with its options or as Codex has it. Default: off. */
  readonly webSearch?: WebSearchOptions | boolean;
  readonly effort?: string;
  readonly summary?: "auto" | "concise" | "detailed";
  readonly verbosity?: "low" | "medium" | "high";
  /** Null: the ordinary one, whatever the model's name says. Default: that of the name, else the ordinary one. */
  readonly serviceTier?: string | null;
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
  /** Who may resume the turn when it is parked. Default and null: unowned; any caller may resume it. */
  readonly owner?: string | null;
  /** Request id of the caller's, for logs. */
  readonly requestId?: string;
}

/** What the name of a model stands for. */
export interface NamedModel {
  /** Id of the model that runs. */
  readonly model: string;
  /** The alias that the name is or contains; null for none. */
  readonly alias: string | null;
  /** Of requests that name none themselves, as the tier is; null: the model's own. */
  readonly effort: string | null;
  readonly serviceTier: string | null;
}

/** Options of `resolveModel`. */
export interface ResolveOptions {
  /** How long to wait for the catalog at most, in milliseconds. Default: as long as a turn may wait in the queue. */
  readonly timeoutMs?: number | undefined;
  /**
   * For a decision: `gpt-6-luna`, which OpenAI's types allow alone, stands for the configured model where the catalog lacks it, and a
   * name without an effort has the configured one, if the model takes it. Default: no.
   */
  readonly forDecisions?: boolean | undefined;
}

/** How a turn waits for its place, and for how long its caller does. */
export type TurnTerms = Pick<IsolatedTurnRequest, "priority" | "deadlineAtMs">;

/** True: the turn left the queue, and its own time begins. False: the backend had no room for it yet, and it waits again. */
export type OnAdmission = (isAdmitted: boolean) => void;

/** How the caller of a turn follows it, holds it back, or cancels it. */
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
   * Infrastructure failed, and the events so far do not hold: the turn may begin again. Only for a caller that has passed
   * none of them on; without this handler, a turn that has delivered any event ends with the error.
   */
  readonly onForget?: () => void;
  /** The turn failed unseen with this code, and is begun again. It may have to wait first. */
  readonly onRetry?: (code: TurnErrorCode) => void;
  /** Aborting cancels the turn, in the queue or while it runs. */
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

/** Started ahead of need, loaded by an earlier turn, held by a parked turn, or started for this one. */
export type ThreadKind = "spare" | "loaded" | "parked" | "new";

/** Codex took a turn on: its native ids, and who runs it. */
export interface TurnStarted {
  readonly threadId: string;
  readonly turnId: string;
  readonly model: string;
  /** The form that its prompt had. Default: unknown. */
  readonly promptForm?: PromptForm;
  /** The reasoning effort that Codex asks the model for. Null or absent: none that is known, so that the model's own holds. */
  readonly effort?: string | null;
  readonly target: RequestTarget;
  /** How it waited. Default: it did not. */
  readonly queue?: QueueWait;
  /** How its native thread came about, and when that was there, as `performance.now()` counts. Default: unknown. */
  readonly thread?: { readonly kind: ThreadKind; readonly readyAtMs: number };
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

/** How a turn, or one segment of it, ended, and what it used. */
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

/** A configured name of a model. */
export interface ModelAliasHealth extends Pick<NamedModel, "model" | "effort" | "serviceTier"> {
  readonly name: string;
  /** Why it cannot be used as it is, in a sentence; null where nothing is wrong with it, or nobody knows. */
  readonly problem: string | null;
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
  /** Default: it was not read yet. */
  readonly catalog?: CatalogHealth | null;
  /** Default: none are configured. */
  readonly aliases?: readonly ModelAliasHealth[];
  readonly appServer: AppServerHealth | null;
  readonly workers: readonly WorkerHealth[];
  /** `capacity`: turns that may run and wait in all. `parked`: turns that wait for their caller's outputs. Default: not known. */
  readonly queue: {
    readonly depth: number;
    readonly running: number;
    readonly capacity?: number;
    readonly parked?: number;
  };
  readonly spareThreads: SpareThreadsHealth;
  /** Default: none are known. */
  readonly upstreamLimits?: UpstreamLimitsHealth;
  /** Default: every model has its own form. */
  readonly promptForms?: PromptFormsHealth;
  /** Features that this Codex version or backend lacks, by name. */
  readonly degraded: readonly string[];
}

/** One turn, or one segment of it, seen from outside, when it is over. */
export interface TurnObservation {
  readonly outcome: IsolatedTurnOutcome["status"] | "failed";
  /** The error's code; null unless it failed. */
  readonly code: string | null;
  readonly model: string | null;
  /** Whose it is: of a service's, the name of its token. Null: unowned. */
  readonly owner: string | null;
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

/** Observes what a runtime does, for metrics. Must not throw. */
export interface NativeRuntimeObserver {
  onTurnEnded(observation: TurnObservation): void;
}

/** Options of `health`. */
export interface HealthOptions {
  /**
   * Reads stale values in the background, for the next call (the plan's windows after five minutes without news,
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
   * What a name stands for. Waits for the catalog where only that can tell, until `timeoutMs` at most. Rejects with `model_not_found`, or
   * why there is no catalog. A runtime without it takes ids alone.
   */
  resolveModel?(name: string, options?: ResolveOptions): Promise<NamedModel>;
  /**
   * Runs one isolated turn to its end. Rejects with a `CodexNativeApiError`: admission (`queue_full`, `queue_timeout`),
   * readiness, or the turn's own failure.
   */
  runIsolatedTurn(request: IsolatedTurnRequest, handlers?: IsolatedTurnHandlers): Promise<IsolatedTurnResult>;
  /**
   * Announces a turn of these settings, so that its native thread is started ahead of need, where there is room for that. Resolves without
   * waiting for the thread. Rejects for a request that no turn could be made of. A runtime without it does nothing of the kind.
   */
  expectTurn?(request: IsolatedTurnRequest, signal?: AbortSignal): Promise<void>;
  /**
   * Answers the calls of a parked turn, which resumes it. Resolves with null when that turn is no longer parked: the caller
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
  /** Unloads a native thread that no caller will continue. */
  releaseThread(threadId: string): void;
  /** The parked turn that waits for an output of one of these calls and is the owner's or unowned; null when none does. */
  findParkedTurn(callIds: readonly string[], owner?: string | null): string | null;
  /** Abandons a parked turn: no caller will answer its calls. */
  abandonTurn(turnId: string): void;
}
