/** What passes between the benchmark and the process of its offline backend. */
import type {
  AccountLimitSettings,
  BackendCounters,
  RateLimitSettings,
} from "../../test/support/offline-backend/index.js";

/** What the model says to everything. */
export interface ReplyPlan {
  readonly deltas: number;
  readonly charactersPerDelta: number;
  /** Before the first delta. */
  readonly firstDelayMs: number;
  /** Between two deltas. */
  readonly delayMs: number;
  /** The function that it calls instead. Default: it answers in words. */
  readonly calls?: string;
}

/** One model request, as far as benchmarks look at it. */
export interface RequestSummary {
  readonly transport: "sse" | "websocket";
  /** Of the request itself. */
  readonly bodyBytes: number;
  readonly instructionsBytes: number;
  readonly tools: number;
  readonly toolsBytes: number;
  /** Of the whole history as the model sees it, also when only its end was sent. */
  readonly inputItems: number;
  readonly inputBytes: number;
}

export type BackendCommand =
  | { readonly type: "reply"; readonly plan: ReplyPlan }
  /** How far away the backend is from here on, for logins made afterwards. */
  | { readonly type: "network"; readonly roundTripMs: number }
  /** Its WebSockets that open from here on are closed after so long without a frame. */
  | { readonly type: "idle-limit"; readonly idleMs: number }
  /** A CODEX_HOME that is logged in here. */
  | { readonly type: "login"; readonly home: string }
  /** Forgets the requests so far. */
  | { readonly type: "forget" }
  | { readonly type: "requests" }
  /** Where it is; the first call. */
  | { readonly type: "place" }
  /** The most streams that were open at once so far. */
  | { readonly type: "streams" }
  /** What the account may ask from now on, and what the plan's windows say where that changes too. */
  | {
      readonly type: "limits";
      readonly limits: AccountLimitSettings;
      readonly windows?: RateLimitSettings | undefined;
    }
  | { readonly type: "counters" };

export type BackendAnswer =
  | {
      readonly type: "place";
      readonly origin: string;
      readonly environment: Readonly<Record<string, string>>;
    }
  | { readonly type: "requests"; readonly requests: readonly RequestSummary[] }
  | { readonly type: "streams"; readonly peakOpen: number }
  | { readonly type: "counters"; readonly counters: BackendCounters }
  | { readonly type: "done" };

export function charactersOf(plan: ReplyPlan): number {
  return plan.deltas * plan.charactersPerDelta;
}
