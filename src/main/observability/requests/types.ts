/** What the request log keeps of a request, and what a store of such entries does. */

/** Where a request stands. */
export type RequestState =
  /** Its turn waits in the queue, or is prepared. */
  "waiting" | "running" | "ended";

/** How a request ended. */
export type RequestOutcome =
  | "completed"
  /** The model stopped early. */
  | "incomplete"
  /** The model called functions of the caller's, who has their calls. */
  | "calls"
  | "cancelled"
  | "failed"
  /** The caller left before the end of its answer. */
  | "client_left";

/** Offsets from the request's start, in milliseconds; null where it did not come so far. Those of the turn are of its last attempt. */
export interface RequestTimings {
  /** What the request continues was found, and it was put into the queue. */
  readonly preparedMs: number | null;
  /** The turn left the queue. */
  readonly admittedMs: number | null;
  /** Its native thread was there. */
  readonly threadReadyMs: number | null;
  /** Codex had taken the turn on. */
  readonly turnStartedMs: number | null;
  readonly firstOutputMs: number | null;
  readonly outputEndedMs: number | null;
  /** The answer was sent, or could not be, and the turn was over. */
  readonly endedMs: number | null;
}

/** The native thread that a turn ran on. */
export interface RequestThread {
  /** Started ahead of need, loaded by an earlier turn, held by a parked turn, or started for this one. */
  readonly kind: "spare" | "loaded" | "parked" | "new" | null;
  readonly threadId: string;
  readonly turnId: string;
  readonly workerId: string;
  readonly appServerGeneration: number;
}

/** Why a turn was begun again. */
export interface RequestRetry {
  readonly code: string;
  /** Offset from the request's start, in milliseconds. */
  readonly atMs: number;
}

/** Tokens of all model calls that were made for a request, those of attempts that failed included. */
export interface RequestTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
  readonly totalTokens: number;
}

/** What was said, cut to a bounded length. Only where the configuration asks for it. */
export interface RequestContent {
  /** JSON of the items that the caller sent. */
  readonly input: string | null;
  /** JSON of the items that the model made. */
  readonly output: string | null;
  /** JSON of the caller's `metadata`. */
  readonly metadata: string | null;
}

/** Why a request failed. */
export interface RequestFailure {
  readonly code: string;
  /** Path of the field at fault, as far as its names are the API's own. */
  readonly param: string | null;
  readonly retryable: boolean;
  /** Null unless content is kept: it may quote what was sent. */
  readonly message: string | null;
}

/**
 * One request. Immutable: a request that goes on has another entry of the same id. All texts are bounded. Null: not known, or not known
 * yet.
 */
export interface RequestEntry {
  /** The request's `x-request-id`. Of requests with the same one, all but the first have more behind it: no two entries share an id. */
  readonly id: string;
  readonly state: RequestState;
  /** Unix time in milliseconds. */
  readonly startedAtMs: number;
  readonly transport: "http" | "websocket";
  readonly method: string;
  /** Pattern of the route. Null: none matched. */
  readonly route: string | null;
  /** The one that HTTP would have, of a message on a WebSocket. Null also where the caller left. */
  readonly status: number | null;
  /** Name of the caller's token. */
  readonly caller: string | null;
  /** Null: no turn was asked for, or the request was refused before its body was read. */
  readonly dialect: string | null;
  /** Id of the model that ran. */
  readonly model: string | null;
  /** As the caller named it. */
  readonly requestedModel: string | null;
  readonly reasoningEffort: string | null;
  readonly serviceTier: string | null;
  readonly stream: boolean;
  readonly background: boolean;
  /** Answers that were asked for, each by a turn of its own. */
  readonly choices: number;
  readonly taskClass: string | null;
  readonly priority: "interactive" | "background" | null;
  /** How long the caller waits, by its header. */
  readonly timeoutMs: number | null;
  readonly promptForm: string | null;
  readonly outcome: RequestOutcome | null;
  readonly error: RequestFailure | null;
  readonly timings: RequestTimings;
  readonly thread: RequestThread | null;
  /** How often a turn was begun; of several choices, their sum. */
  readonly attempts: number;
  /** The first 16. */
  readonly retries: readonly RequestRetry[];
  /** Known names only. */
  readonly ignoredParameters: readonly string[];
  readonly usage: RequestTokens | null;
  readonly responseId: string | null;
  readonly previousResponseId: string | null;
  readonly content: RequestContent | null;
}

/** Whose entries are read: null sees all, a token's name its own. */
export type RequestViewer = string | null;

/** Which entries are listed. A filter that is null lets all pass. */
export interface RequestListQuery {
  readonly viewer: RequestViewer;
  readonly limit: number;
  /** Id of the last entry of the page before. */
  readonly after: string | null;
  readonly route: string | null;
  /** The model that ran, or its name in the request. */
  readonly model: string | null;
  readonly outcome: string | null;
  /** Of the error. */
  readonly code: string | null;
  readonly caller: string | null;
}

/** Some entries, newest first. */
export interface RequestPage {
  readonly entries: readonly RequestEntry[];
  readonly hasMore: boolean;
}

/** Requests for turns that have ended, counted by who asked for what, and when. */
export interface UsageRow {
  readonly caller: string | null;
  /** That ran. */
  readonly model: string | null;
  readonly route: string | null;
  readonly taskClass: string | null;
  /** Start of the hour in which they ended, Unix time in milliseconds. Null: of several hours, since there was no room for a row each. */
  readonly hourMs: number | null;
  readonly requests: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
}

/** All usage since a time. */
export interface UsageReport {
  /** Unix time in milliseconds. */
  readonly sinceMs: number;
  readonly rows: readonly UsageRow[];
  /** How often a row was merged into a coarser one: for want of room, or since it was too old. 0: every row is whole. */
  readonly merged: number;
}

/**
 * Where the request log is kept. A host may implement it over a store of its own; then entries and usage outlive the process. The code that
 * creates a store also starts and closes it.
 *
 * A store that throws, rejects or is slow costs no caller anything: its failure is logged once, and what it does not take is lost. A request
 * is begun, updated any number of times and ended, in this order, and the calls of one request follow each other without waiting.
 */
export interface CodexNativeApiRequestStore {
  /** A request that is new. */
  begin(entry: RequestEntry): void | Promise<void>;
  /** Another state of a request that was begun. One that the store has dropped since stays dropped. */
  update(entry: RequestEntry): void | Promise<void>;
  /** The last state of a request that was begun. Those with a `dialect` count as usage, whether or not the store still has them. */
  end(entry: RequestEntry): void | Promise<void>;
  /** Newest first. Null: there is no entry of the viewer's with the id `after`. */
  list(query: RequestListQuery): Promise<RequestPage | null>;
  /** Null also for an entry that the viewer may not see. */
  get(id: string, viewer: RequestViewer): Promise<RequestEntry | null>;
  /** Of all requests that have ended, or of the viewer's own; the latest hours first. */
  usage(viewer: RequestViewer): Promise<UsageReport>;
}
