import type { Frame, ResponseContext } from "./frame.js";
import type { JsonObject } from "./json.js";
import { renderItem } from "./render-items.js";
import { DEFAULT_USAGE, type StreamReply, type TokenUsage } from "./reply.js";

/**
 * The events of a whole response, made while they are sent: a long reply to a thousand clients is never in
 * memory as events. A cut or a stall ends the events early; what follows is the player's work.
 */
export function* renderResponse(reply: StreamReply, context: ResponseContext): Iterable<Frame> {
  const { ending } = reply;
  yield* renderStart(context);
  const stopAfter = "afterDeltas" in ending ? ending.afterDeltas : undefined;
  if (stopAfter === 0) {
    return;
  }
  let textDeltas = 0;
  let { silenceMs } = reply;
  for (const part of reply.parts) {
    for (const frame of renderItem(part, context)) {
      yield silenceMs === 0 ? frame : { ...frame, delayMs: frame.delayMs + silenceMs };
      silenceMs = 0;
      if (frame.isTextDelta && ++textDeltas === stopAfter) {
        return;
      }
    }
  }
  const usage = renderUsage(reply.usage ?? DEFAULT_USAGE);
  switch (ending.kind) {
    case "completed":
      yield context.frame("response.completed", { response: envelope(context, "completed", { usage }) });
      return;
    case "failed": {
      const error = { code: ending.code, message: ending.message };
      yield context.frame("response.failed", { response: envelope(context, "failed", { error }) });
      return;
    }
    case "error":
      yield context.frame("error", { code: ending.code, message: ending.message, param: null });
      return;
    case "event":
      yield context.frame(ending.event.type, ending.event);
      return;
    case "incomplete": {
      const details = { incomplete_details: { reason: ending.reason }, usage };
      yield context.frame("response.incomplete", { response: envelope(context, "incomplete", details) });
      return;
    }
    case "cut":
    case "stall":
      return;
  }
}

/** The answer to a warm-up: a response with nothing in it, whose id later requests may build on. */
export function* renderWarmup(context: ResponseContext): Iterable<Frame> {
  yield* renderStart(context);
  const usage = renderUsage({
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 0,
    reasoningOutputTokens: 0,
  });
  yield context.frame("response.completed", { response: envelope(context, "completed", { usage }) });
}

function* renderStart(context: ResponseContext): Iterable<Frame> {
  const response = envelope(context, "in_progress", { usage: null });
  yield context.frame("response.created", { response });
  yield context.frame("response.in_progress", { response });
}

function envelope(context: ResponseContext, status: string, fields: JsonObject): JsonObject {
  return {
    id: context.responseId,
    object: "response",
    created_at: context.createdAtSeconds,
    status,
    error: null,
    incomplete_details: null,
    model: context.model,
    output: [...context.output],
    ...fields,
  };
}

function renderUsage(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteInputTokens,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
