/** Answers of other servers, checked at the edge: loose on what is not read, strict on what is. */
import { z } from "zod";
import type { JsonObject } from "../../workers/contract/json.js";
import type { TokenUsage } from "../runtime/types.js";

/** Another server's words end up in errors and logs. */
const maxCodeChars = 64;
const maxMessageChars = 1_000;

const count = z.int().min(0);

const errorBody = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    code: z.union([z.string(), z.number()]).nullish(),
    type: z.string().nullish(),
    param: z.string().nullish(),
  }),
});

const nativeApi = z.looseObject({
  request_target: z.looseObject({
    provider_profile_id: z.string(),
    provider_kind: z.string(),
    account_id: z.string().nullable(),
    worker_id: z.string(),
    app_server_generation: z.int(),
  }),
  response_mapping: z.looseObject({ native_thread_id: z.string(), native_turn_id: z.string() }),
});

const response = z.looseObject({
  id: z.string(),
  object: z.literal("response"),
  status: z.string(),
  model: z.string(),
  output: z.array(z.looseObject({ type: z.string() })),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullish(),
  incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish(),
  usage: z
    .looseObject({
      input_tokens: count,
      input_tokens_details: z
        .looseObject({ cached_tokens: count, cache_write_tokens: count.nullish() })
        .nullish(),
      output_tokens: count,
      output_tokens_details: z.looseObject({ reasoning_tokens: count }).nullish(),
      total_tokens: count,
    })
    .nullish(),
  // Tells where it ran; an answer is no worse without.
  native_api: nativeApi.nullish().catch(null),
});

const completion = z.looseObject({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z
    .looseObject({
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: z
        .looseObject({ cached_tokens: count.nullish(), cache_write_tokens: count.nullish() })
        .nullish(),
      completion_tokens_details: z.looseObject({ reasoning_tokens: count.nullish() }).nullish(),
    })
    .nullish()
    // Providers count in their own ways; an answer is no worse for it.
    .catch(null),
});

interface WireError {
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string;
  readonly param: string | null;
}

export interface WireResponse {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly output: readonly JsonObject[];
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incompleteReason: string | null;
  readonly usage: TokenUsage | null;
  readonly nativeApi: z.infer<typeof nativeApi> | null;
}

export interface WireCompletion {
  readonly id: string | null;
  readonly model: string | null;
  readonly finishReason: string | null;
  readonly content: string;
  readonly refusal: string | null;
  readonly usage: TokenUsage | null;
}

/** OpenAI's error object; null where the body holds none. */
export function readErrorBody(body: JsonObject | null): WireError | null {
  const parsed = errorBody.safeParse(body);
  if (!parsed.success) return null;
  const { code, type, message, param } = parsed.data.error;
  return {
    code: code === null || code === undefined ? null : String(code).slice(0, maxCodeChars),
    type: type?.slice(0, maxCodeChars) ?? null,
    message: message.slice(0, maxMessageChars),
    param: param ?? null,
  };
}

export function readResponse(body: JsonObject | null): WireResponse | null {
  const parsed = response.safeParse(body);
  if (!parsed.success) return null;
  const { data } = parsed;
  return {
    id: data.id,
    status: data.status,
    model: data.model,
    output: data.output,
    error: data.error ?? null,
    incompleteReason: data.incomplete_details?.reason ?? null,
    usage: readUsage(data.usage),
    nativeApi: data.native_api ?? null,
  };
}

function readUsage(usage: z.infer<typeof response>["usage"]): TokenUsage | null {
  if (usage === null || usage === undefined) return null;
  return {
    inputTokens: usage.input_tokens,
    cachedInputTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    cacheWriteInputTokens: usage.input_tokens_details?.cache_write_tokens ?? 0,
    outputTokens: usage.output_tokens,
    reasoningOutputTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
    totalTokens: usage.total_tokens,
  };
}

export function readCompletion(body: JsonObject | null): WireCompletion | null {
  const parsed = completion.safeParse(body);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || choice === undefined) return null;
  const { id, model, usage } = parsed.data;
  return {
    id: id ?? null,
    model: model ?? null,
    finishReason: choice.finish_reason ?? null,
    content: choice.message.content ?? "",
    refusal: choice.message.refusal ?? null,
    usage: readChatUsage(usage),
  };
}

function readChatUsage(usage: z.infer<typeof completion>["usage"]): TokenUsage | null {
  if (usage === null || usage === undefined) return null;
  return {
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteInputTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    outputTokens: usage.completion_tokens,
    reasoningOutputTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    totalTokens: usage.total_tokens,
  };
}
