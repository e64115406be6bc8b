/** What a host hands to the side-task router, and what it gets back. */
import type { JsonObject, RequestTarget, TokenUsage } from "../runtime/types.js";
import type { SideTaskFailure } from "./fall-through.js";
import type { SideTaskClass } from "./task-classes.js";

/** In the order they are tried. */
const sideTaskRoutes = ["localhost_api", "direct_native", "external_provider"] as const;

/** The routes, in the order they are tried. */
export type SideTaskRouteName = (typeof sideTaskRoutes)[number];

/** This service on loopback. */
export interface LocalApiSettings {
  /** `http://127.0.0.1:43182`, without `/v1`. */
  readonly baseUrl: string;
  /** The service's bearer token; null where it asks for none. */
  readonly authToken: string | null;
  /** Classes that may take this route. */
  readonly taskClasses: readonly SideTaskClass[];
  /** Longest time a task may spend on this route, in milliseconds; null sets no bound beside the task's own. */
  readonly timeoutMs: number | null;
}

/** An OpenAI-compatible provider that speaks Chat Completions. Prompts leave this machine when it is used. */
export interface ExternalProvider {
  /** As OpenAI's clients take it, such as `https://api.example.com/v1`. */
  readonly baseUrl: string;
  /** Null where the provider asks for none. */
  readonly apiKey: string | null;
  /** The provider's own name of its model. */
  readonly model: string;
  /**
   * How a schema reaches the model: as `response_format`, or in words, for providers that know no `json_schema`. Default
   * `response_format`. The answer is checked here either way.
   */
  readonly schemaIn?: "response_format" | "words";
}

/** What `readSideTaskSettings` reads from an environment. A null switches its route off. */
export interface SideTaskSettings {
  readonly localApi: LocalApiSettings | null;
  readonly external: ExternalProvider | null;
}

/** One side task. */
export interface SideTaskRequest {
  readonly taskClass: SideTaskClass;
  /** Text, or items as the Responses API takes them. */
  readonly input: string | readonly JsonObject[];
  readonly instructions?: string;
  /** JSON schema that the answer has to obey; the answer is then parsed and checked. Default: the class's. */
  readonly outputSchema?: JsonObject;
  /** Model id of Codex's catalog. Default: the class's, else the route's. */
  readonly model?: string;
  /** Default: the class's. Not sent to an external provider. */
  readonly effort?: string;
  /** For all routes together, in milliseconds. Default: the class's. */
  readonly timeoutMs?: number;
  /** Goes with the task into the service's logs; never to a model or an external provider. */
  readonly metadata?: {
    readonly eventMetadata?: JsonObject;
    readonly threadMetadata?: JsonObject;
  };
  /** Aborting gives the task up. */
  readonly signal?: AbortSignal;
  /** The host's provider kind. The localhost route is taken for `openai-native` alone. Default `openai-native`. */
  readonly provider?: string;
  /** External provider for this task alone; `false` keeps the task away from any. Default: the router's. */
  readonly fallback?: ExternalProvider | false;
}

/** Why a route was not tried. */
export type SideTaskSkipReason =
  /** The route is switched off, or has nothing to run on. */
  | "not_configured"
  /** The task's class may not take it. */
  | "class_not_eligible"
  /** The host's provider is not `openai-native`. */
  | "provider_not_native"
  /** The input holds what this route cannot say. */
  | "input_not_supported"
  /** It failed lately, and its circuit breaker has not let go yet. */
  | "circuit_open";

/** What became of one route that was tried, or why it was not. */
export interface SideTaskTrial {
  readonly route: SideTaskRouteName;
  readonly outcome: "served" | "skipped" | SideTaskFailure;
  /** For `skipped` the reason; for a failure the code behind it, such as `queue_full` or `ECONNREFUSED`. */
  readonly code: SideTaskSkipReason | string | null;
  readonly ms: number;
}

/** Who and what ran the task natively. */
export interface SideTaskTarget extends RequestTarget {
  readonly threadId: string;
  readonly turnId: string;
}

/** What a side task came to, and by which route. */
export interface SideTaskResult {
  /** The model's last message. */
  readonly outputText: string;
  /** The answer as JSON, checked; only where there was a schema. */
  readonly output?: unknown;
  readonly route: SideTaskRouteName;
  /** Every route up to the one that served, in order. */
  readonly routesTried: readonly SideTaskTrial[];
  /** The service's response id, or the external provider's completion id; null for a direct turn. */
  readonly responseId: string | null;
  readonly usage: TokenUsage | null;
  readonly model: string;
  /** Null where an external provider answered. */
  readonly native: SideTaskTarget | null;
}
