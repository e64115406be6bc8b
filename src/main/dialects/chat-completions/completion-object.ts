/** The parts of an answer that whole ones and streamed ones share. */
import type { CodexNativeApiError } from "../../errors.js";
import type { IsolatedTurnResult, TokenUsage } from "../../runtime/types.js";
import { describeNativeApi, type NativeApi, type NativeApiFacts } from "../answers/native-api.js";
import type { CompletionUsage, ErrorChunk, FinishReason } from "./wire-types.js";

/** The parked turn that a completion goes on with, or whose history it replays. */
export interface ChatContinuation {
  readonly mode: "native" | "replayed";
  readonly threadId: string | null;
  readonly turnId: string;
}

export interface ChatNativeApiFacts extends Omit<NativeApiFacts, "responseId" | "continuation"> {
  readonly completionId: string;
  readonly chatContinuation: ChatContinuation | null;
}

export function describeChatNativeApi({
  completionId,
  chatContinuation,
  ...facts
}: ChatNativeApiFacts): NativeApi {
  const native = describeNativeApi(facts);
  return {
    ...native,
    response_mapping: { ...native.response_mapping, chat_completion_id: completionId },
    continuation: {
      resumed: chatContinuation !== null,
      mode: chatContinuation?.mode ?? null,
      previous_response_id: null,
      source_native_thread_id: chatContinuation?.threadId ?? null,
      source_native_turn_id: chatContinuation?.turnId ?? null,
    },
  };
}

export function describeUsage(usage: TokenUsage): CompletionUsage {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteInputTokens,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningOutputTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The calls that the caller is to answer; null where the turn ended otherwise. */
export function calledIdsOf(outcome: IsolatedTurnResult["outcome"]): readonly string[] | null {
  return outcome.status === "parked" || outcome.status === "handed_over" ? outcome.callIds : null;
}

export function finishReasonOf(outcome: IsolatedTurnResult["outcome"]): FinishReason {
  if (calledIdsOf(outcome) !== null) return "tool_calls";
  if (outcome.status !== "incomplete") return "stop";
  // Whatever the reason, the answer is not whole.
  return outcome.reason === "content_filter" ? "content_filter" : "length";
}

export function describeErrorChunk(error: CodexNativeApiError): ErrorChunk {
  return { error: { message: error.message, type: error.type, param: error.param, code: error.code } };
}
