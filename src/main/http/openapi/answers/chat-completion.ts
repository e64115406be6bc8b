import { z } from "zod";
import { apiError } from "./error.js";
import { nativeApi } from "./native-api.js";

const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]);

const urlCitation = z.object({
  type: z.literal("url_citation"),
  url_citation: z.object({
    start_index: z.number().int(),
    end_index: z.number().int(),
    title: z.string(),
    url: z.string(),
  }),
});

const toolCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string().describe("JSON, as the model wrote it.") }),
});

export const completionUsage = z.object({
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

const head = {
  id: z.string(),
  created: z.number().int().describe("Unix time in seconds."),
  model: z.string(),
  service_tier: z.string(),
  system_fingerprint: z.null(),
};

const reasoningContent = z
  .string()
  .optional()
  .describe(
    "What the model tells of its reasoning. Not OpenAI's: compatible clients read it under this name.",
  );

const message = z.object({
  role: z.literal("assistant"),
  content: z.string().nullable().describe("Null where there are calls or a refusal in its place."),
  refusal: z.string().nullable(),
  annotations: z.array(urlCitation),
  tool_calls: z.array(toolCall).optional(),
  reasoning_content: reasoningContent,
});

export const chatCompletion = z.object({
  ...head,
  object: z.literal("chat.completion"),
  choices: z
    .array(
      z.object({
        index: z.literal(0),
        message,
        logprobs: z.null(),
        finish_reason: finishReason,
      }),
    )
    .length(1),
  usage: completionUsage.optional().describe("Absent where Codex reported none."),
  metadata: z.record(z.string(), z.unknown()).optional().describe("As the request gave it."),
  native_api: nativeApi,
});

const delta = z.object({
  role: z.literal("assistant").optional(),
  content: z.string().optional(),
  refusal: z.string().optional(),
  reasoning_content: reasoningContent,
  annotations: z.array(urlCitation).optional(),
  tool_calls: z
    .array(toolCall.extend({ index: z.number().int() }))
    .optional()
    .describe("Each call whole."),
});

export const chatChunk = z.object({
  ...head,
  object: z.literal("chat.completion.chunk"),
  choices: z
    .array(
      z.object({ index: z.literal(0), delta, logprobs: z.null(), finish_reason: finishReason.nullable() }),
    )
    .describe("None in the chunk that tells the usage."),
  usage: completionUsage
    .nullish()
    .describe("Only with `stream_options.include_usage`: null until its own chunk."),
  native_api: nativeApi.optional().describe("In the first chunk, and in the one with the `finish_reason`."),
});

export const chatStreamPart = z.union([chatChunk, apiError]);
