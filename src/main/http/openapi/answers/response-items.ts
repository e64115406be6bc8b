/** Output items. Keys beyond these that the model's own item has are kept. */
import { z } from "zod";

const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);

export const outputTextPart = z.looseObject({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.unknown()).describe("Citations, as the model gave them."),
  logprobs: z.array(z.unknown()),
});

export const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
export const reasoningTextPart = z.looseObject({ type: z.literal("reasoning_text"), text: z.string() });
export const summaryTextPart = z.looseObject({ type: z.literal("summary_text"), text: z.string() });

export const messageItem = z.looseObject({
  type: z.literal("message"),
  id: z.string(),
  role: z.literal("assistant"),
  status: itemStatus,
  content: z.array(z.discriminatedUnion("type", [outputTextPart, refusalPart])),
});

export const reasoningItem = z.looseObject({
  type: z.literal("reasoning"),
  id: z.string(),
  summary: z.array(summaryTextPart),
  content: z.array(reasoningTextPart).optional(),
  encrypted_content: z
    .string()
    .optional()
    .describe("Only if `include` asks for `reasoning.encrypted_content`."),
});

export const functionCallItem = z.looseObject({
  type: z.literal("function_call"),
  id: z.string(),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string().describe("JSON, as the model wrote it."),
  status: itemStatus,
});

export const webSearchCallItem = z.looseObject({
  type: z.literal("web_search_call"),
  id: z.string(),
  status: z.enum(["in_progress", "searching", "completed", "failed"]),
  action: z.record(z.string(), z.unknown()),
});

export const passedOnItem = z.looseObject({ id: z.string() });

/** Not told apart by their type alone: what is none of the first four is the last. */
export const outputItem = z.union([
  messageItem,
  reasoningItem,
  functionCallItem,
  webSearchCallItem,
  passedOnItem,
]);
