/** The `Response` object, whole: a client finds every field that OpenAI documents, whatever the state. */
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

export interface ResponseObject extends RequestEcho {
  readonly id: string;
  readonly object: "response";
  /** Unix time in seconds, as all times here. */
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly conversation: null;
  /** `code` is the one an HTTP answer would carry: the same fault has one name before and after the headers. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Codex passes the model's reason on: `max_output_tokens` or `content_filter`. */
  readonly incomplete_details: { readonly reason: string } | null;
  /** The one that ran; before, as the request names it. */
  readonly model: string;
  readonly moderation: null;
  readonly output: readonly OutputItem[];
  readonly prompt: null;
  /** Null while the response runs, and where Codex reported none. */
  readonly usage: ResponseUsage | null;
  readonly native_api: NativeApi;
}

export function describeUsage(usage: TokenUsage): ResponseUsage {
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
