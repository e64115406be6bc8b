/** What a runtime tells of its parts. */
import type { PromptForm } from "../../workers/contract/turn.js";

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

/** The app-server now; of one that we did not start, only what is known. */
export interface AppServerHealth {
  readonly generation: number;
  readonly pid: number | null;
  /** Of all its processes together. */
  readonly rssBytes: number | null;
  /** Share of one core, in percent, over the last minutes in which nothing was asked of it; null while unknown. Default: null. */
  readonly idleCpuPercent?: number | null;
  readonly restarts: number;
  /** How often a new one took the place of one that ran, since the start, by reason. Default: never. */
  readonly rotations?: Readonly<Record<string, number>>;
  /** Why the last one did. `atMs`: since the epoch. Default: none did. */
  readonly lastRotation?: { readonly reason: string; readonly atMs: number } | null;
  readonly uptimeMs: number | null;
  readonly loadedThreads: number | null;
  /** How often a new one took over since another Codex had refreshed the login. Default: never. */
  readonly loginTakeovers?: number;
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
  /** Threads that were discarded unused: each had asked the backend to warm up, on the user's plan. */
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

/** Connections of an account to its backend: how many are held, and the bound. */
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

/** The catalog of the login, hidden models left out. */
export interface CatalogHealth {
  readonly models: number;
  /** The model of a turn that names none. */
  readonly defaultModel: string | null;
  /**
   * Whether names are held against the catalog. False: a provider of the user's own serves models that no catalog lists, so that any
   * name is passed on to it. Default: true.
   */
  readonly isChecked?: boolean;
}
