/** Answers of other servers, checked at the edge: strict on the fields that are read, loose on all others. */
import { z } from "zod";
import type { JsonObject } from "../../workers/contract/json.js";
import type { TokenUsage } from "../runtime/types.js";
import type { SideTaskFailure } from "./fall-through.js";
import type { HttpAnswer } from "./http-client.js";
import { isPlainCode, RouteFailure } from "./route-failure.js";
import type { SideTaskTarget } from "./types.js";

/** More than any answer has. A schema keeps a fault for each item that is none, so that a list is measured before it is read. */
const maxItems = 10_000;

const count = z.int().min(0);
const optionalCount = count.nullish();
const optionalText = z.string().nullable().default(null);
const outputItems = z
  .array(z.unknown())
  .max(maxItems)
  .pipe(z.array(z.looseObject({ type: z.string() })));

const errorBody = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    code: z.union([z.string(), z.number()]).nullish(),
    type: z.string().nullish(),
    param: optionalText,
  }),
});

/** Of `native_api`. */
export const nativeTarget = z
  .looseObject({
    request_target: z.looseObject({
      provider_profile_id: z.string(),
      provider_kind: z.string(),
      account_id: z.string().nullable(),
      worker_id: z.string(),
      app_server_generation: z.int(),
    }),
    response_mapping: z.looseObject({ native_thread_id: z.string(), native_turn_id: z.string() }),
  })
  .transform(
    ({ request_target: target, response_mapping: mapping }): SideTaskTarget => ({
      providerProfileId: target.provider_profile_id,
      providerKind: target.provider_kind,
      accountId: target.account_id,
      workerId: target.worker_id,
      appServerGeneration: target.app_server_generation,
      threadId: mapping.native_thread_id,
      turnId: mapping.native_turn_id,
    }),
  );

export const responseUsage = z
  .looseObject({
    input_tokens: count,
    input_tokens_details: z
      .looseObject({ cached_tokens: count, cache_write_tokens: optionalCount })
      .nullish(),
    output_tokens: count,
    output_tokens_details: z.looseObject({ reasoning_tokens: count }).nullish(),
    total_tokens: count,
  })
  .transform(
    (usage): TokenUsage => ({
      inputTokens: usage.input_tokens,
      cachedInputTokens: usage.input_tokens_details?.cached_tokens ?? 0,
      cacheWriteInputTokens: usage.input_tokens_details?.cache_write_tokens ?? 0,
      outputTokens: usage.output_tokens,
      reasoningOutputTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
      totalTokens: usage.total_tokens,
    }),
  );

const completionUsage = z
  .looseObject({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: z
      .looseObject({ cached_tokens: optionalCount, cache_write_tokens: optionalCount })
      .nullish(),
    completion_tokens_details: z.looseObject({ reasoning_tokens: optionalCount }).nullish(),
  })
  .transform(
    (usage): TokenUsage => ({
      inputTokens: usage.prompt_tokens,
      cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      cacheWriteInputTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
      outputTokens: usage.completion_tokens,
      reasoningOutputTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      totalTokens: usage.total_tokens,
    }),
  );

const response = z.looseObject({
  id: z.string(),
  object: z.literal("response"),
  status: z.string(),
  model: z.string(),
  output: outputItems,
  error: z.looseObject({ code: z.string(), message: z.string() }).nullish(),
  incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish(),
  usage: responseUsage.nullable().default(null),
  // Says where the turn ran; an answer without it is as good.
  native_api: nativeTarget.nullable().default(null).catch(null),
});

/** What gateways to other providers leave out or fill in their own way is no fault of the answer. */
const providerResponse = z.looseObject({
  id: optionalText.catch(null),
  object: z.literal("response"),
  status: z.string().default("completed"),
  model: optionalText.catch(null),
  output: outputItems,
  error: z.looseObject({ code: z.string().nullish(), message: z.string().nullish() }).nullish().catch(null),
  incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish().catch(null),
  usage: responseUsage.nullable().default(null).catch(null),
});

const choice = z.looseObject({
  finish_reason: optionalText,
  message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
});

const completion = z.looseObject({
  id: optionalText,
  model: optionalText,
  // Asked for one, so that the first is the answer.
  choices: z
    .array(z.unknown())
    .transform(([first]) => first)
    .pipe(choice),
  // Providers count in their own ways; an answer without a count is as good.
  usage: completionUsage.nullable().default(null).catch(null),
});

export type WireResponse = z.output<typeof response>;
export type WireChoice = z.output<typeof choice>;

/** Null where the body is not a response of the Responses API. */
export function readResponse(body: JsonObject | null): WireResponse | null {
  return response.safeParse(body).data ?? null;
}

/** Null where the body is not a response of an external provider. */
export function readProviderResponse(body: JsonObject | null): z.output<typeof providerResponse> | null {
  return providerResponse.safeParse(body).data ?? null;
}

/** Null where the body is not a completion of the Chat Completions API. */
export function readCompletion(body: JsonObject | null): z.output<typeof completion> | null {
  return completion.safeParse(body).data ?? null;
}

/** The failure that an answer with another status than 200 stands for. */
export function refusedBy(
  server: "service" | "provider",
  { status, body, retryAfterMs }: HttpAnswer,
  judge: (code: string, status: number) => SideTaskFailure,
): RouteFailure {
  const error = errorBody.safeParse(body).data?.error;
  // Some providers give a type and no code.
  const given = String(error?.code ?? (server === "provider" ? error?.type : null));
  const code = given !== "null" && isPlainCode(given) ? given : `http_${status}`;
  const message = error?.message ?? `The ${server} answered ${status}.`;
  return new RouteFailure(judge(code, status), { code, message, param: error?.param ?? null, retryAfterMs });
}
