/** The answers of `POST /v1/responses`, and those of decisions, whose usage is alike. */
import * as z from "zod/mini";
import type { TokenUsage } from "../../wire.js";
import { type Answer, append, changeCall, noAnswer, putCall } from "./answer.js";

const text = z.optional(z.nullable(z.string()));
const count = z._default(z.optional(z.nullable(z.number())), 0);

const responsesUsage = z.object({
  input_tokens: z.number(),
  input_tokens_details: z.optional(z.nullable(z.object({ cached_tokens: count }))),
  output_tokens: z.number(),
  output_tokens_details: z.optional(z.nullable(z.object({ reasoning_tokens: count }))),
  total_tokens: z.number(),
});

const fault = z.object({ code: text, message: z.string() });

const outputItem = z.object({
  id: text,
  type: z.string(),
  call_id: text,
  name: text,
  arguments: text,
  summary: z.optional(z.array(z.object({ text }))),
  content: z.optional(z.nullable(z.array(z.object({ text, refusal: text })))),
});

const response = z.object({
  id: z.string(),
  model: text,
  status: text,
  error: z.optional(z.nullable(fault)),
  incomplete_details: z.optional(z.nullable(z.object({ reason: text }))),
  usage: z.optional(z.nullable(responsesUsage)),
  output: z.optional(z.array(outputItem)),
});

const responsesEvent = z.object({
  type: z.string(),
  delta: text,
  item_id: text,
  item: z.optional(outputItem),
  response: z.optional(response),
  code: text,
  message: text,
});

const decisionsAnswer = z.object({
  model: text,
  answers: z.array(z.unknown()),
  usage: z.optional(z.nullable(responsesUsage)),
});

/** A whole answer; null if it is none. */
export function readResponse(body: unknown): Answer | null {
  const parsed = response.safeParse(body);
  return parsed.success ? takeResponse({ ...noAnswer, ...readOutput(parsed.data) }, parsed.data) : null;
}

export function readDecisions(body: unknown): Answer | null {
  const parsed = decisionsAnswer.safeParse(body);
  if (!parsed.success) return null;
  const { model = null, answers, usage } = parsed.data;
  return {
    ...noAnswer,
    model,
    decisions: answers,
    usage: usage == null ? null : fromResponses(usage),
    isWhole: true,
  };
}

/** An event of a stream. */
export function takeResponsesEvent(answer: Answer, body: unknown): Answer {
  const parsed = responsesEvent.safeParse(body);
  return parsed.success ? takeKnown(answer, parsed.data) : answer;
}

function takeKnown(answer: Answer, event: z.infer<typeof responsesEvent>): Answer {
  const { type, delta = null, item, item_id: itemId = null } = event;
  switch (type) {
    case "response.output_text.delta":
    case "response.refusal.delta":
      return append(answer, "text", delta ?? "");
    case "response.reasoning_summary_text.delta":
    case "response.reasoning_text.delta":
      return append(answer, "reasoning", delta ?? "");
    case "response.reasoning_summary_part.added":
      return answer.reasoning === "" ? answer : append(answer, "reasoning", "\n\n");
    case "response.function_call_arguments.delta":
      return changeCall(answer, itemId ?? "", (call) => ({
        ...call,
        arguments: call.arguments + (delta ?? ""),
      }));
    case "response.output_item.added":
      if (item?.type === "message" && answer.text !== "") return append(answer, "text", "\n\n");
      return item?.type === "function_call" ? addCall(answer, item) : answer;
    case "response.output_item.done":
      return item?.type === "function_call" ? addCall(answer, item) : answer;
    case "error":
      return {
        ...answer,
        error: { code: event.code ?? "error", message: event.message ?? "" },
        isWhole: true,
      };
    default:
      return event.response === undefined ? answer : takeResponse(answer, event.response);
  }
}

function takeResponse(answer: Answer, body: z.infer<typeof response>): Answer {
  const { id, model = null, status, error, usage, incomplete_details: details } = body;
  return {
    ...answer,
    responseId: id,
    model: model ?? answer.model,
    usage: usage == null ? answer.usage : fromResponses(usage),
    error: error == null ? answer.error : { code: error.code ?? "error", message: error.message },
    incomplete: status === "incomplete" ? (details?.reason ?? "incomplete") : null,
    isWhole: status !== "in_progress" && status !== "queued",
  };
}

function addCall(answer: Answer, item: z.infer<typeof outputItem>): Answer {
  const { id, call_id: callId, name, arguments: written } = item;
  return putCall(answer, id ?? callId ?? "", {
    callId: callId ?? "",
    name: name ?? "",
    arguments: written ?? "",
  });
}

function readOutput({ output = [] }: z.infer<typeof response>): Pick<Answer, "text" | "reasoning" | "calls"> {
  const said = output.filter(({ type }) => type === "message").flatMap(({ content }) => content ?? []);
  const thought = output.filter(({ type }) => type === "reasoning").flatMap(({ summary }) => summary ?? []);
  const calls = output.filter(({ type }) => type === "function_call").reduce(addCall, noAnswer);
  const text = said.map(({ text, refusal }) => text ?? refusal ?? "").join("\n\n");
  const reasoning = thought.map(({ text }) => text ?? "").join("\n\n");
  const { text: cut } = append(noAnswer, "text", text);
  return { text: cut, reasoning: append(noAnswer, "reasoning", reasoning).reasoning, calls: calls.calls };
}

function fromResponses(usage: z.infer<typeof responsesUsage>): TokenUsage {
  return {
    input_tokens: usage.input_tokens,
    cached_input_tokens: usage.input_tokens_details?.cached_tokens ?? 0,
    output_tokens: usage.output_tokens,
    reasoning_output_tokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
    total_tokens: usage.total_tokens,
  };
}
