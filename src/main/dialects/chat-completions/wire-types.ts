/** Answers in OpenAI's shapes. A test holds them against the types of the official client. */
import type { JsonObject } from "../../../workers/contract/json.js";
import type { ErrorBody } from "../answers/error-body.js";
import type { NativeApi } from "../answers/native-api.js";

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface UrlCitation {
  readonly type: "url_citation";
  readonly url_citation: {
    /** Places in `content`. */
    readonly start_index: number;
    readonly end_index: number;
    readonly title: string;
    readonly url: string;
  };
}

export interface WireToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface WireMessage {
  readonly role: "assistant";
  /** Null where there are calls or a refusal in its place. */
  readonly content: string | null;
  readonly refusal: string | null;
  readonly annotations: readonly UrlCitation[];
  readonly tool_calls?: readonly WireToolCall[];
  /** What the model tells of its reasoning. OpenAI has no such field; compatible clients read it under this name. */
  readonly reasoning_content?: string;
}

export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: {
    readonly cached_tokens: number;
    readonly cache_write_tokens: number;
    readonly audio_tokens: number;
  };
  readonly completion_tokens_details: {
    readonly reasoning_tokens: number;
    readonly audio_tokens: number;
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
}

/** What an answer and each of its chunks begin with. */
export interface CompletionHead {
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
  readonly service_tier: string;
  readonly system_fingerprint: null;
}

export interface ChatCompletion extends CompletionHead {
  readonly object: "chat.completion";
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: WireMessage;
      readonly logprobs: null;
      readonly finish_reason: FinishReason;
    },
  ];
  /** Absent where Codex reported none. */
  readonly usage?: CompletionUsage;
  /** As the request gave it. */
  readonly metadata?: JsonObject;
  readonly native_api: NativeApi;
}

/** What a chunk adds to the message. */
export interface Delta {
  readonly role?: "assistant";
  readonly content?: string;
  readonly refusal?: string;
  readonly reasoning_content?: string;
  readonly annotations?: readonly UrlCitation[];
  readonly tool_calls?: readonly (WireToolCall & { readonly index: number })[];
}

export interface ChatChunk extends CompletionHead {
  readonly object: "chat.completion.chunk";
  /** None in the chunk that tells the usage. */
  readonly choices: readonly {
    readonly index: 0;
    readonly delta: Delta;
    readonly logprobs: null;
    readonly finish_reason: FinishReason | null;
  }[];
  /** Only in streams that tell the usage: null until its own chunk. */
  readonly usage?: CompletionUsage | null;
  /** In the first chunk, and in the one with the `finish_reason`. */
  readonly native_api?: NativeApi;
}

/** An error takes the place of the chunks to come: nothing follows it. */
export type ChatStreamPart = ChatChunk | ErrorBody;
