/** What a host gives to the side-task router, and what it gets back. */
import type { DecisionAnswersTo, DecisionQuestion } from "../dialects/decisions/decision-types.js";
import type { JsonObject, RequestTarget, TokenUsage } from "../runtime/types.js";
import type { ExternalReason, ProviderDialect } from "./external-reasons.js";
import type { SideTaskFailure } from "./fall-through.js";
import type { SideTaskClass } from "./task-classes.js";

/** The routes, in the order they are tried. */
export type SideTaskRouteName = "localhost_api" | "direct_native" | "external_provider";

/** This service on loopback. */
export interface LocalApiSettings {
  /** `http://127.0.0.1:43182`, without `/v1`. */
  readonly baseUrl: string;
  /** The service's bearer token; null where it needs none. */
  readonly authToken: string | null;
  /** Classes that may take this route. */
  readonly taskClasses: readonly SideTaskClass[];
  /** Longest time a task may spend on this route, in milliseconds; null: as long as the task has. */
  readonly timeoutMs: number | null;
}

/** An OpenAI-compatible provider. Prompts that it gets leave this machine. */
export interface ExternalProvider {
  /** As OpenAI's clients take it, such as `https://api.example.com/v1`. */
  readonly baseUrl: string;
  /** Null where the provider needs none. */
  readonly apiKey: string | null;
  /** The provider's own name of its model. */
  readonly model: string;
  /**
   * How a schema reaches the model: as `response_format` (`text.format` in the Responses API), or in words, for providers that
   * know no `json_schema`. Default `response_format`. The router checks the answer either way.
   */
  readonly schemaIn?: "response_format" | "words";
  /** `responses`: `POST {baseUrl}/responses`; `chat`: `POST {baseUrl}/chat/completions`. No other path is used. Default `chat`. */
  readonly dialect?: ProviderDialect;
  /**
   * Why a task may leave this machine. It is sent only if every native route that was tried failed for one of these reasons.
   * Default: `unreachable`, `not_logged_in`, `usage_limit` and `no_native_route`; for a provider that a task brings along, all.
   */
  readonly when?: readonly ExternalReason[];
}

/**
 * Variables of proxies and certificates by name, as the environment has them: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, also in
 * lower case, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `NODE_EXTRA_CA_CERTS` and `CODEX_CA_CERTIFICATE`.
 */
export type SideTaskNetwork = Readonly<Record<string, string | undefined>>;

/** What `readSideTaskSettings` reads from an environment. A null switches its route off. */
export interface SideTaskSettings {
  readonly localApi: LocalApiSettings | null;
  readonly external: ExternalProvider | null;
  /** How external providers are reached, those that tasks bring along too. Default: directly. */
  readonly network?: SideTaskNetwork;
}

/** What is wrong with a value, by a schema library. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema of any library with `~standard` (standardschema.dev), such as zod, valibot or arktype. */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
    /** Its JSON schema, where the library writes one. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Readonly<Record<string, unknown>>;
    };
  };
}

/** A checked value, or what is wrong with it. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** What a task's answer must be: a schema that writes its own JSON schema, or one with its JSON schema beside it. */
export type SideTaskOutput<T> =
  | StandardSchema<T>
  | { readonly schema: StandardSchema<T>; readonly jsonSchema: JsonObject };

/** One side task. */
export interface SideTaskRequest {
  readonly taskClass: SideTaskClass;
  /** Text, or items as the Responses API takes them. */
  readonly input: string | readonly JsonObject[];
  readonly instructions?: string;
  /**
   * Text files that the task refers to, by absolute path: each below one of the router's `roots`. They are read in this process and
   * go to the model, whichever that is, as developer messages before the input.
   */
  readonly files?: readonly { readonly path: string }[];
  /** JSON schema of the answer, which the router then parses and checks. Default: the class's. */
  readonly outputSchema?: JsonObject;
  /** The same by a schema of the host's library, which types and checks `output` of the result. Not beside `outputSchema`. */
  readonly output?: SideTaskOutput<unknown>;
  /** Model id of Codex's catalog. Default: the class's, else the route's. */
  readonly model?: string;
  /** Default: the class's. Not sent to an external provider. */
  readonly effort?: string;
  /** For all routes together, in milliseconds. Default: the class's. */
  readonly timeoutMs?: number;
  /** For the logs, at the level that the host sets; never for a model or an external provider. */
  readonly metadata?: {
    readonly eventMetadata?: JsonObject;
    readonly threadMetadata?: JsonObject;
    /** Parts that `native` of the result repeats. Default: none. */
    readonly include?: readonly ("eventMetadata" | "threadMetadata")[];
  };
  /** Aborting cancels the task. */
  readonly signal?: AbortSignal;
  /** The host's provider kind. Only `openai-native` may take the localhost route. Default `openai-native`. */
  readonly provider?: string;
  /**
   * External provider for this task alone, which gets it after any failure that may be tried elsewhere, unless its own `when` says
   * less; `false` forbids any. Default: the router's.
   */
  readonly fallback?: ExternalProvider | false;
}

/** Questions about one input, answered with probabilities. */
export interface SideTaskDecisionRequest<
  Questions extends readonly DecisionQuestion[] = readonly DecisionQuestion[],
> extends Pick<SideTaskRequest, "model" | "timeoutMs" | "metadata" | "signal" | "provider" | "fallback"> {
  /** Text, or items as `POST /v1/decisions` takes them. To the model it is data. */
  readonly input: string | readonly JsonObject[];
  /** 1 to 400. */
  readonly questions: Questions;
  /** Gives the time, and the model where the host has named one for the class. Default `small_verification`. */
  readonly taskClass?: SideTaskClass;
  /** Default: that of the service's or runtime's decisions, which is low. Not sent to an external provider. */
  readonly effort?: string;
}

/** Why a route was not tried. */
export type SideTaskSkipReason =
  /** The route is switched off, or its runtime or provider is missing. */
  | "not_configured"
  /** The task's class may not take it. */
  | "class_not_eligible"
  /** The host's provider is not `openai-native`. */
  | "provider_not_native"
  /** The router belongs to a service in its own process, so it needs no HTTP. */
  | "in_process"
  /** That service is not running now. */
  | "service_stopped"
  /** The route has no form for a part of the input. */
  | "input_not_supported"
  /** The plan of its account is used up, as another route showed. */
  | "plan_used_up"
  /** It failed lately, and its circuit breaker is still open. */
  | "circuit_open"
  /** The provider's `when` does not name the reason for which the native routes failed, so the task stays on this machine. */
  | "not_allowed";

/** What happened on one route, or why it was skipped. */
export interface SideTaskTrial {
  readonly route: SideTaskRouteName;
  readonly outcome: "served" | "skipped" | SideTaskFailure;
  /** For `skipped` the reason; for a failure the code behind it, such as `queue_full` or `ECONNREFUSED`. */
  readonly code: SideTaskSkipReason | string | null;
  readonly ms: number;
}

/** Account, worker, thread and turn that ran the task natively. */
export interface SideTaskTarget extends RequestTarget {
  readonly threadId: string;
  readonly turnId: string;
  /** The task's own, if its metadata's `include` asks for it; null if it has none. */
  readonly eventMetadata?: JsonObject | null;
  readonly threadMetadata?: JsonObject | null;
}

/** The route that served a task, and where it ran. */
export interface SideTaskServed {
  readonly route: SideTaskRouteName;
  /** Every route up to the one that served, in order. */
  readonly routesTried: readonly SideTaskTrial[];
  /** The service's response id, or the external provider's; null for a direct turn, and for a decision of the service, which has none. */
  readonly responseId: string | null;
  readonly usage: TokenUsage | null;
  readonly model: string;
  /** Null where an external provider answered. */
  readonly native: SideTaskTarget | null;
}

/** The answer to a side task, and the route that gave it. */
export interface SideTaskResult<T = unknown> extends SideTaskServed {
  /** The model's last message. */
  readonly outputText: string;
  /** The answer as JSON, checked; only where there was a schema. */
  readonly output?: T;
}

/** The answers to a decision's questions, and the route that gave them. */
export interface SideTaskDecision<Questions extends readonly DecisionQuestion[] = readonly DecisionQuestion[]>
  extends SideTaskServed {
  /** In the order of the questions, each of its question's kind or a refusal. */
  readonly answers: DecisionAnswersTo<Questions>;
  /** How the probabilities were found. `stated`: the model wrote them down; they are not those of its tokens. */
  readonly method: string;
}

/** What the host called. */
export type SideTaskCall = "execute" | "decide";

/** What happens to tasks, for a host that watches them. No event has a prompt, an answer or metadata. */
export type SideTaskEvent =
  /** A route served, failed or was skipped, just now. */
  | ({
      readonly type: "route_tried";
      readonly taskClass: string;
      readonly call: SideTaskCall;
    } & SideTaskTrial)
  /** The task is about to leave this machine, for these reasons. */
  | {
      readonly type: "external_send";
      readonly taskClass: string;
      readonly call: SideTaskCall;
      readonly reasons: readonly ExternalReason[];
      /** Origin of the provider. */
      readonly provider: string;
    }
  | {
      readonly type: "task_ended";
      readonly taskClass: string;
      readonly call: SideTaskCall;
      /** Null where none served it. */
      readonly route: SideTaskRouteName | null;
      /** `served`, or the code of the error. */
      readonly outcome: string;
      readonly ms: number;
      readonly usage: TokenUsage | null;
    };
