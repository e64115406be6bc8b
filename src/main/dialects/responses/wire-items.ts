/** Output items in OpenAI's own shapes. Further keys of the model's own items (`phase`, `namespace`) are passed on. A test holds them against the types of the official client. */
import { z } from "zod";
import { jsonObject, type Sent } from "../answers/wire-types.js";

const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);
export type ItemStatus = Sent<typeof itemStatus>;

export const outputTextPart = z.looseObject({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.unknown()).describe("Citations, as the model gave them."),
  logprobs: z.array(z.unknown()),
});
export type OutputTextPart = Sent<typeof outputTextPart>;

export const refusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
export type RefusalPart = Sent<typeof refusalPart>;

export const reasoningTextPart = z.looseObject({ type: z.literal("reasoning_text"), text: z.string() });
export type ReasoningTextPart = Sent<typeof reasoningTextPart>;

export const summaryTextPart = z.looseObject({ type: z.literal("summary_text"), text: z.string() });
export type SummaryTextPart = Sent<typeof summaryTextPart>;

const messagePart = z.discriminatedUnion("type", [outputTextPart, refusalPart]);
export type MessagePart = Sent<typeof messagePart>;

export const MessageItem = z.looseObject({
  type: z.literal("message"),
  id: z.string(),
  role: z.literal("assistant"),
  status: itemStatus,
  content: z.array(messagePart),
});
export type MessageItem = Sent<typeof MessageItem>;

export const ReasoningItem = z.looseObject({
  type: z.literal("reasoning"),
  id: z.string(),
  summary: z.array(summaryTextPart),
  content: z.array(reasoningTextPart).optional(),
  encrypted_content: z.string().optional().describe("If `include` has `reasoning.encrypted_content`."),
});
export type ReasoningItem = Sent<typeof ReasoningItem>;

export const FunctionCallItem = z.looseObject({
  type: z.literal("function_call"),
  id: z.string(),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string().describe("JSON, as the model wrote it."),
  status: itemStatus,
});
export type FunctionCallItem = Sent<typeof FunctionCallItem>;

export const CustomToolCallItem = z.looseObject({
  type: z.literal("custom_tool_call"),
  id: z.string(),
  call_id: z.string(),
  name: z.string(),
  input: z.string(),
});
export type CustomToolCallItem = Sent<typeof CustomToolCallItem>;

export const WebSearchCallItem = z.looseObject({
  type: z.literal("web_search_call"),
  id: z.string(),
  status: z.enum(["in_progress", "searching", "completed", "failed"]),
  action: jsonObject,
});
export type WebSearchCallItem = Sent<typeof WebSearchCallItem>;

/** Any further type of item: passed on as the model made it, or its caller sent it. */
export const PassedOnItem = z.looseObject({ id: z.string() });
export type PassedOnItem = Sent<typeof PassedOnItem>;

/** The type alone does not tell them apart: an item that is none of the first five is the last. */
export const OutputItem = z.union([
  MessageItem,
  ReasoningItem,
  FunctionCallItem,
  CustomToolCallItem,
  WebSearchCallItem,
  PassedOnItem,
]);
export type OutputItem = Sent<typeof OutputItem>;
