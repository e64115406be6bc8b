/** What the supervisor asks of the app-server through a worker's connection, and the answers in our own words. */
import type { ThreadSettings } from "./turn.js";

export interface AccountAnswer {
  /** `chatgpt`, `apiKey`, …; null without a login. */
  readonly authMode: string | null;
  readonly email: string | null;
  readonly plan: string | null;
  /** The ChatGPT workspace that requests are made for; Codex before 0.169 does not say. */
  readonly accountId: string | null;
  /** Whether the configured provider needs a login at all. */
  readonly loginRequired: boolean;
  /** Where the account's workspace wants its requests; null where nothing is routed, as before 0.160. */
  readonly routing: WorkspaceRouting | null;
}

export interface WorkspaceRouting {
  readonly origin: string | null;
  /** `NO_CONSTRAINT` for none. */
  readonly override: string | null;
}

/** A model of Codex's catalog. */
export interface CatalogModel {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly isDefault: boolean;
  readonly hidden: boolean;
  readonly defaultReasoningEffort: string | null;
  readonly supportedReasoningEfforts: readonly string[];
  readonly inputModalities: readonly string[];
  readonly serviceTiers: readonly string[];
}

/** One window of the plan's limits. */
export interface RateLimitWindow {
  readonly usedPercent: number;
  readonly windowMinutes: number | null;
  /** Unix time in seconds. */
  readonly resetsAt: number | null;
}

/** How much of the plan is used, as Codex last said it. */
export interface RateLimits {
  readonly primary: RateLimitWindow | null;
  readonly secondary: RateLimitWindow | null;
  readonly plan: string | null;
  /** Which limit is used up; null while none is. */
  readonly reached: string | null;
}

/** A native thread that was started ahead of need. */
export interface PreparedThread {
  readonly threadId: string;
  /** Codex put nothing of its own or the account's into it when it set it up, and said so. */
  readonly isBare: boolean;
}

export type NativeAnswer =
  | { readonly query: "account"; readonly account: AccountAnswer }
  /** What the app-server knows of the login without a request to the backend. */
  | { readonly query: "auth_status"; readonly status: Pick<AccountAnswer, "authMode" | "loginRequired"> }
  /** The organisation's texts in each prompt, by name. */
  | { readonly query: "managed_texts"; readonly names: readonly string[] }
  | { readonly query: "models"; readonly models: readonly CatalogModel[] }
  | { readonly query: "rate_limits"; readonly rateLimits: RateLimits }
  | { readonly query: "loaded_threads"; readonly count: number }
  /** As the app-server reports it itself; null where it does not know, or is older than 0.169. */
  | { readonly query: "resident_memory"; readonly bytes: number | null }
  | ({ readonly query: "prepare_thread" } & PreparedThread);

export type NativeQuery =
  | { readonly query: Exclude<NativeAnswer["query"], "prepare_thread"> }
  /** Start a native thread ahead of need; it stays loaded until a turn has used it or it is released. */
  | { readonly query: "prepare_thread"; readonly thread: ThreadSettings };

export type AnswerTo<Query extends NativeQuery> = Extract<NativeAnswer, { readonly query: Query["query"] }>;
