/** The `Response` object, whole: a client finds every field that OpenAI documents, whatever the state. */
import type { JsonObject } from "../../../workers/contract/json.js";
import type { TokenUsage } from "../../runtime/types.js";
import type { NativeApi } from "../answers/native-api.js";
import type { RequestEcho } from "./request-echo.js";
import type { OutputItem } from "./wire-items.js";

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

export interface ResponseUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export interface ResponseObject {
  readonly id: string;
  readonly object: "response";
  /** Unix time in seconds, as all times here. */
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly background: boolean;
  readonly conversation: null;
  /** `code` is the one an HTTP answer would carry: the same fault has one name before and after the headers. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Codex passes the model's reason on: `max_output_tokens` or `content_filter`. */
  readonly incomplete_details: { readonly reason: string } | null;
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly metadata: JsonObject;
  readonly model: string;
  readonly moderation: null;
  readonly output: readonly OutputItem[];
  readonly parallel_tool_calls: boolean;
  readonly previous_response_id: string | null;
  readonly prompt: null;
  readonly prompt_cache_key: string | null;
  readonly prompt_cache_retention: string | null;
  readonly reasoning: RequestEcho["reasoning"];
  readonly safety_identifier: string | null;
  readonly service_tier: string;
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: RequestEcho["text"];
  readonly tool_choice: RequestEcho["toolChoice"];
  readonly tools: RequestEcho["tools"];
  readonly top_logprobs: number;
  readonly top_p: number | null;
  readonly truncation: "auto" | "disabled";
  /** Null while the response runs, and where Codex reported none. */
  readonly usage: ResponseUsage | null;
  /** Only where the request named one. */
  readonly user?: string;
  readonly native_api: NativeApi;
}

export interface ResponseState {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly completedAtSeconds: number | null;
  readonly status: ResponseStatus;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly usage: TokenUsage | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incompleteReason: string | null;
  readonly nativeApi: NativeApi;
}

export function buildResponseObject(echo: RequestEcho, state: ResponseState): ResponseObject {
  return {
    id: state.id,
    object: "response",
    created_at: state.createdAtSeconds,
    completed_at: state.completedAtSeconds,
    status: state.status,
    background: echo.background,
    conversation: null,
    error: state.error,
    incomplete_details: state.incompleteReason === null ? null : { reason: state.incompleteReason },
    instructions: echo.instructions,
    max_output_tokens: echo.maxOutputTokens,
    max_tool_calls: echo.maxToolCalls,
    metadata: echo.metadata,
    model: state.model,
    moderation: null,
    output: state.output,
    parallel_tool_calls: echo.parallelToolCalls,
    previous_response_id: echo.previousResponseId,
    prompt: null,
    prompt_cache_key: echo.promptCacheKey,
    prompt_cache_retention: echo.promptCacheRetention,
    reasoning: echo.reasoning,
    safety_identifier: echo.safetyIdentifier,
    service_tier: echo.serviceTier,
    store: echo.store,
    temperature: echo.temperature,
    text: echo.text,
    tool_choice: echo.toolChoice,
    tools: echo.tools,
    top_logprobs: echo.topLogprobs,
    top_p: echo.topP,
    truncation: echo.truncation,
    usage: state.usage === null ? null : describeUsage(state.usage),
    ...(echo.user !== null && { user: echo.user }),
    native_api: state.nativeApi,
  };
}

function describeUsage(usage: TokenUsage): ResponseUsage {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteInputTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
    total_tokens: usage.totalTokens,
  };
}
