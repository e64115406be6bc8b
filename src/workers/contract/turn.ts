import type { ClientToolKind } from "./client-tools.js";
import type { ItemChunk } from "./item-chunk.js";
import type { JsonObject } from "./json.js";

export const turnPriorities = ["interactive", "background"] as const;

/** `background`: for batches. They run when no interactive turn waits, and now and then when one does. */
export type TurnPriority = (typeof turnPriorities)[number];

/** `lean`: nothing of Codex's own reaches the model. `codex`: Codex's instructions stay, its tools do not. */
export type TurnProfile = "lean" | "codex";

/**
 * How a prompt reaches the backend. `lean`: as the Responses API has it, with nothing of Codex's. `lean_lite`: the same by Responses Lite,
 * the form that Codex's catalog marks newer models for: functions come in an item of the input, in a namespace. `codex`: Codex's own
 * instructions stay, and its own choice between the two.
 */
export type PromptForm = "lean" | "lean_lite" | "codex";

/** A tool of the caller's, as a function. */
export interface FunctionTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  /** How the caller declared it, and so how its calls and outputs are written. Default: `function`. */
  readonly kind?: ClientToolKind;
  /** The namespace it is declared in. Default: none. */
  readonly namespace?: { readonly name: string; readonly description: string };
  /**
   * The declaration itself, of a tool that a function cannot stand for: the model obeys a grammar only if the tool is given to it as
   * declared. Codex cannot ask for the outputs of such a tool, so a call of it ends the native turn. Default: the function serves.
   */
  readonly exact?: JsonObject;
}

/** Options of Codex's web search; null leaves each to Codex. */
export interface WebSearchOptions {
  readonly contextSize: "low" | "medium" | "high" | null;
  /** Null searches everywhere. */
  readonly allowedDomains: readonly string[] | null;
  /** Where the user is, about. */
  readonly location: WebSearchLocation | null;
}

/** Roughly where the user is, for web searches. */
export interface WebSearchLocation {
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
  readonly timezone: string | null;
}

/** What belongs to a native thread for its whole life. Two turns may share a thread only if these are equal. */
export interface ThreadSettings {
  readonly form: PromptForm;
  /** Whether Codex speaks Responses Lite with the model in this form. */
  readonly isLite: boolean;
  /** The catalog that makes Codex do so, a file; null where the app-server's own does. */
  readonly modelCatalog: string | null;
  readonly model: string;
  /** Base instructions; the empty string sends none. */
  readonly instructions: string;
  readonly tools: readonly FunctionTool[];
  /** Codex's own web search; null is off. */
  readonly webSearch: WebSearchOptions | null;
  readonly verbosity: "low" | "medium" | "high" | null;
}

/** Settings that decide the form of a thread's prompts. */
export type FormSettings = Pick<ThreadSettings, "form" | "isLite" | "modelCatalog">;

/** What may differ from turn to turn on one native thread. */
export interface TurnSettings {
  /** Reasoning effort as the model's catalog entry names it; null leaves the model's default. */
  readonly effort: string | null;
  readonly summary: "auto" | "concise" | "detailed" | null;
  readonly serviceTier: string | null;
  readonly outputSchema: JsonObject | null;
}

/** The native thread that a turn runs on. */
export type NativeThreadChoice =
  /** Started for the turn. */
  | { readonly kind: "fresh" }
  /**
   * Started ahead of need by this worker with the turn's settings, and empty. Should Codex not know it, a fresh one serves.
   * `lacksInstructions`: it has all settings but the instructions.
   */
  | { readonly kind: "spare"; readonly threadId: string; readonly lacksInstructions: boolean }
  /** One of this worker's that has seen the history already: the turn's items are only what is new. */
  | { readonly kind: "continued"; readonly threadId: string };

/** One turn, complete: what a worker needs to run it and nothing it must ask for. */
export interface TurnAssignment {
  /** This service's key of the turn, for logs on both sides. */
  readonly turnKey: string;
  readonly thread: ThreadSettings;
  readonly turn: TurnSettings;
  /** Responses API items, injected into the history as they are, in order. */
  readonly items: readonly ItemChunk[];
  /** This service's own words to the model: messages that come before the last step of the items. */
  readonly directives: readonly JsonObject[];
  readonly nativeThread: NativeThreadChoice;
  /** The output is read as it comes; else it is sent in few, large pieces. */
  readonly followed: boolean;
  /** Whether the thread stays loaded after the turn completed, for a later one. `release_thread` unloads it. */
  readonly keepThread: boolean;
  /** No event for this long ends the turn with `turn_stalled`. */
  readonly idleTimeoutMs: number;
}

/** Tokens, summed over a turn's model calls. */
export interface TokenUsage {
  readonly inputTokens: number;
  /** Of the input: what came from the model's cache, and what was put there. */
  readonly cachedInputTokens: number;
  readonly cacheWriteInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
  readonly totalTokens: number;
}

/** Of an answer that no model was asked for. */
export const noUsage: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
  totalTokens: 0,
};

/** Sums what several model calls of one turn used; null stands for "not reported". */
export function addUsage(sum: TokenUsage | null, more: TokenUsage | null): TokenUsage | null {
  if (sum === null || more === null) return sum ?? more;
  return {
    inputTokens: sum.inputTokens + more.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + more.cachedInputTokens,
    cacheWriteInputTokens: sum.cacheWriteInputTokens + more.cacheWriteInputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    reasoningOutputTokens: sum.reasoningOutputTokens + more.reasoningOutputTokens,
    totalTokens: sum.totalTokens + more.totalTokens,
  };
}
