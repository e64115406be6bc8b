/** Answers in OpenAI's shapes. A test holds them against the types of the official client. */
import { z } from "zod";
import {
  Error as apiError,
  index,
  jsonObject,
  NativeApi,
  nativeRuntime,
  type Sent,
  text,
} from "../answers/wire-types.js";

const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]);
export type FinishReason = Sent<typeof finishReason>;

const urlCitation = z.object({
  type: z.literal("url_citation"),
  url_citation: z.object({
    start_index: index.describe("Places in `content`."),
    end_index: index,
    title: z.string(),
    url: z.string(),
  }),
});
export type UrlCitation = Sent<typeof urlCitation>;

const functionCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string().describe("JSON, as the model wrote it.") }),
});

const customCall = z.object({
  id: z.string(),
  type: z.literal("custom"),
  custom: z.object({ name: z.string(), input: z.string() }),
});

const toolCall = z.discriminatedUnion("type", [functionCall, customCall]);
export type WireToolCall = Sent<typeof toolCall>;

export const CompletionUsage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  prompt_tokens_details: z.object({
    cached_tokens: z.number(),
    cache_write_tokens: z.number(),
    audio_tokens: z.number(),
  }),
  completion_tokens_details: z.object({
    reasoning_tokens: z.number(),
    audio_tokens: z.number(),
    accepted_prediction_tokens: z.number(),
    rejected_prediction_tokens: z.number(),
  }),
});
export type CompletionUsage = Sent<typeof CompletionUsage>;

/** What an answer and each of its chunks begin with. */
const head = z.object({
  id: z.string(),
  created: index.describe("Unix time in seconds."),
  model: z.string(),
  service_tier: z.string(),
  system_fingerprint: z.null(),
});
export type CompletionHead = Sent<typeof head>;

const reasoningContent = z
  .string()
  .describe(
    "The model's summary of its reasoning, and its commentary. Not OpenAI's: compatible clients read it under this name.",
  )
  .optional();

const message = z.object({
  role: z.literal("assistant"),
  content: text.describe("Null where calls or a refusal take its place."),
  refusal: text,
  annotations: z.array(urlCitation),
  tool_calls: z.array(toolCall).optional(),
  reasoning_content: reasoningContent,
});
export type WireMessage = Sent<typeof message>;

const place = { index, logprobs: z.null() };

const choice = z.object({ ...place, message, finish_reason: finishReason });

export const ChatCompletion = z.object({
  ...head.shape,
  object: z.literal("chat.completion"),
  choices: z.array(choice).min(1).describe("In the order of their indexes."),
  usage: CompletionUsage.optional().describe("Absent where Codex reported none."),
  metadata: jsonObject.optional().describe("As the request gave it."),
  native_api: NativeApi,
  native_runtime: nativeRuntime,
});
export interface ChatCompletion extends Omit<Sent<typeof ChatCompletion>, "choices"> {
  readonly choices: readonly [Sent<typeof choice>, ...Sent<typeof choice>[]];
}

/** What a chunk adds to the message. */
const delta = z.object({
  role: z.literal("assistant").optional(),
  content: z
    .string()
    .nullish()
    .describe("Null in the first chunk of an answer that does not begin with its text."),
  refusal: z.string().optional(),
  reasoning_content: reasoningContent,
  annotations: z.array(urlCitation).optional(),
  tool_calls: z
    .array(z.discriminatedUnion("type", [functionCall.extend({ index }), customCall.extend({ index })]))
    .optional()
    .describe("Complete calls."),
});
export type Delta = Sent<typeof delta>;

export const ChatCompletionChunk = z.object({
  ...head.shape,
  object: z.literal("chat.completion.chunk"),
  choices: z
    .array(z.object({ ...place, delta, finish_reason: finishReason.nullable() }))
    .describe("Empty in the chunk with the usage."),
  usage: CompletionUsage.nullish().describe(
    "Only with `stream_options.include_usage`: null until its own chunk.",
  ),
  native_api: NativeApi.optional().describe(
    "In the first chunk of a choice, and in the one with its `finish_reason`.",
  ),
  native_runtime: nativeRuntime.optional().describe("Beside `native_api`."),
});
export type ChatChunk = Sent<typeof ChatCompletionChunk>;

/** An error takes the place of the chunks to come: nothing follows it. */
export const ChatStreamPart = z.union([ChatCompletionChunk, apiError]);
export type ChatStreamPart = Sent<typeof ChatStreamPart>;
