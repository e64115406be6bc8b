/** The answers of `POST /v1/chat/completions`. */
import * as z from "zod/mini";
import type { TokenUsage } from "../../wire.js";
import { type Answer, append, changeCall, hasCall, noAnswer, putCall } from "./answer.js";

const text = z.optional(z.nullable(z.string()));
const count = z._default(z.optional(z.nullable(z.number())), 0);

const chatUsage = z.object({
  prompt_tokens: z.number(),
  prompt_tokens_details: z.optional(z.nullable(z.object({ cached_tokens: count }))),
  completion_tokens: z.number(),
  completion_tokens_details: z.optional(z.nullable(z.object({ reasoning_tokens: count }))),
  total_tokens: z.number(),
});

const fault = z.object({ code: text, message: z.string() });

const toolCall = z.object({
  index: z.optional(z.number()),
  id: text,
  function: z.optional(z.object({ name: text, arguments: text })),
});

const chatSaid = z.object({
  content: text,
  refusal: text,
  reasoning_content: text,
  tool_calls: z.optional(z.nullable(z.array(toolCall))),
});

const chatAnswer = z.object({
  model: text,
  error: z.optional(z.nullable(fault)),
  usage: z.optional(z.nullable(chatUsage)),
  choices: z._default(
    z.optional(
      z.array(
        z.object({
          delta: z.optional(chatSaid),
          message: z.optional(chatSaid),
          finish_reason: text,
        }),
      ),
    ),
    [],
  ),
});

/** A whole answer; null if it is none. */
export function readCompletion(body: unknown): Answer | null {
  const parsed = chatAnswer.safeParse(body);
  return parsed.success ? { ...takeKnown(noAnswer, parsed.data), isWhole: true } : null;
}

/** A chunk of a stream. */
export function takeChunk(answer: Answer, body: unknown): Answer {
  const parsed = chatAnswer.safeParse(body);
  return parsed.success ? takeKnown(answer, parsed.data) : answer;
}

function takeKnown(answer: Answer, body: z.infer<typeof chatAnswer>): Answer {
  const { choices, usage, error, model } = body;
  const [choice] = choices;
  const said = choice?.delta ?? choice?.message;
  let next: Answer = {
    ...answer,
    model: model ?? answer.model,
    usage: usage == null ? answer.usage : fromChat(usage),
    error: error == null ? answer.error : { code: error.code ?? "error", message: error.message },
    isWhole: answer.isWhole || error != null,
  };
  if (choice?.finish_reason === "length" || choice?.finish_reason === "content_filter") {
    next = { ...next, incomplete: choice.finish_reason };
  }
  if (said === undefined) return next;
  next = append(next, "reasoning", said.reasoning_content ?? "");
  next = append(next, "text", said.content ?? said.refusal ?? "");
  return (said.tool_calls ?? []).reduce(takeToolCall, next);
}

/** Its first part has the id and the name, further ones have more of the arguments. */
function takeToolCall(answer: Answer, part: z.infer<typeof toolCall>, position: number): Answer {
  const key = String(part.index ?? position);
  const { name, arguments: written } = part.function ?? {};
  return hasCall(answer, key)
    ? changeCall(answer, key, (call) => ({ ...call, arguments: call.arguments + (written ?? "") }))
    : putCall(answer, key, { callId: part.id ?? "", name: name ?? "", arguments: written ?? "" });
}

function fromChat(usage: z.infer<typeof chatUsage>): TokenUsage {
  return {
    input_tokens: usage.prompt_tokens,
    cached_input_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    output_tokens: usage.completion_tokens,
    reasoning_output_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    total_tokens: usage.total_tokens,
  };
}
