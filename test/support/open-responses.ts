/** What the Open Responses specification (2026-04-24) requires of a response and of its stream. Fields that it does not know may be there. */
import { z } from "zod";

const text = z.string();
const index = z.int().min(0);
const textOrNull = z.string().nullable();
const countOrNull = z.int().nullable();
const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);

const part = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("output_text"), text, annotations: z.array(z.unknown()) }),
  z.looseObject({ type: z.literal("summary_text"), text }),
  z.looseObject({ type: z.literal("reasoning_text"), text }),
  z.looseObject({ type: z.literal("refusal"), refusal: text }),
]);

const item = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("message"),
    id: text,
    status: itemStatus,
    role: z.enum(["user", "assistant", "system", "developer"]),
    content: z.array(part),
    phase: z.enum(["commentary", "final_answer"]).optional(),
  }),
  z.looseObject({
    type: z.literal("function_call"),
    id: text,
    call_id: text,
    name: text,
    arguments: text,
    status: itemStatus,
  }),
  z.looseObject({
    type: z.literal("reasoning"),
    id: text,
    summary: z.array(part),
    content: z.array(part).optional(),
    encrypted_content: text.optional(),
  }),
]);

const tool = z.looseObject({
  type: z.literal("function"),
  name: text,
  description: textOrNull,
  parameters: z.looseObject({}).nullable(),
  strict: z.boolean().nullable(),
});

const choice = z.enum(["none", "auto", "required"]);
const functionChoice = z.looseObject({ type: z.literal("function"), name: text.optional() });

const format = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: text,
    description: textOrNull,
    // The specification says null, by the way that it is generated; OpenAI repeats the schema.
    schema: z.looseObject({}),
    strict: z.boolean(),
  }),
]);

export const openResponse = z.looseObject({
  id: text,
  object: z.literal("response"),
  created_at: index,
  completed_at: countOrNull,
  status: text,
  incomplete_details: z.looseObject({ reason: text }).nullable(),
  model: text,
  previous_response_id: textOrNull,
  instructions: textOrNull,
  output: z.array(item),
  error: z.looseObject({ code: text, message: text }).nullable(),
  tools: z.array(tool),
  tool_choice: z.union([
    choice,
    functionChoice,
    z.looseObject({ type: z.literal("allowed_tools"), tools: z.array(functionChoice), mode: choice }),
  ]),
  truncation: z.enum(["auto", "disabled"]),
  parallel_tool_calls: z.boolean(),
  text: z.looseObject({ format, verbosity: z.enum(["low", "medium", "high"]).optional() }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: z.int(),
  temperature: z.number(),
  reasoning: z
    .looseObject({
      effort: z.enum(["none", "low", "medium", "high", "xhigh"]).nullable(),
      summary: z.enum(["concise", "detailed", "auto"]).nullable(),
    })
    .nullable(),
  usage: z
    .looseObject({
      input_tokens: index,
      output_tokens: index,
      total_tokens: index,
      input_tokens_details: z.looseObject({ cached_tokens: index }),
      output_tokens_details: z.looseObject({ reasoning_tokens: index }),
    })
    .nullable(),
  max_output_tokens: countOrNull,
  max_tool_calls: countOrNull,
  store: z.boolean(),
  background: z.boolean(),
  service_tier: text,
  metadata: z.looseObject({}),
  safety_identifier: textOrNull,
  prompt_cache_key: textOrNull,
});

function event<Type extends string, Fields extends z.ZodRawShape>(fields: Fields, ...types: Type[]) {
  return z.looseObject({ type: z.literal(types), sequence_number: index, ...fields });
}

const atItem = { item_id: text, output_index: index };
const atPart = { ...atItem, content_index: index };
const atSummary = { ...atItem, summary_index: index };

export const openResponseEvent = z.discriminatedUnion("type", [
  event(
    { response: openResponse },
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
    "response.failed",
    "response.incomplete",
  ),
  event({ output_index: index, item }, "response.output_item.added", "response.output_item.done"),
  event(
    { ...atSummary, part },
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
  ),
  event({ ...atPart, part }, "response.content_part.added", "response.content_part.done"),
  event({ ...atPart, delta: text }, "response.output_text.delta", "response.refusal.delta"),
  event({ ...atPart, text }, "response.output_text.done"),
  event({ ...atPart, refusal: text }, "response.refusal.done"),
  event({ ...atSummary, delta: text }, "response.reasoning_summary_text.delta"),
  event({ ...atSummary, text }, "response.reasoning_summary_text.done"),
  // OpenAI's names. The specification leaves `_text` out.
  event({ ...atPart, delta: text }, "response.reasoning_text.delta"),
  event({ ...atPart, text }, "response.reasoning_text.done"),
  event(
    { ...atPart, annotation_index: index, annotation: z.looseObject({}).nullable() },
    "response.output_text.annotation.added",
  ),
  event({ ...atItem, delta: text }, "response.function_call_arguments.delta"),
  event({ ...atItem, arguments: text }, "response.function_call_arguments.done"),
  event(
    { error: z.looseObject({ type: text, code: textOrNull, message: text, param: textOrNull }) },
    "error",
  ),
]);
