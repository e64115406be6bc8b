/** The `data` of each server-sent event of a streamed response. */
import { z } from "zod";
import { response } from "./response.js";
import {
  outputItem,
  outputTextPart,
  reasoningTextPart,
  refusalPart,
  summaryTextPart,
} from "./response-items.js";

const index = z.number().int();
const sequenced = { sequence_number: index.describe("Counts from 0, without gaps.") };
const atItem = { ...sequenced, item_id: z.string(), output_index: index };
const atPart = { ...atItem, content_index: index };
const atSummary = { ...atItem, summary_index: index };

const lifecycle = z.object({
  type: z.enum([
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.completed",
    "response.incomplete",
    "response.failed",
  ]),
  ...sequenced,
  response,
});

const outputItemEvent = z.object({
  type: z.enum(["response.output_item.added", "response.output_item.done"]),
  ...sequenced,
  output_index: index,
  item: outputItem,
});

const contentPart = z.object({
  type: z.enum(["response.content_part.added", "response.content_part.done"]),
  ...atPart,
  part: z.discriminatedUnion("type", [outputTextPart, refusalPart, reasoningTextPart]),
});

const annotationAdded = z.object({
  type: z.literal("response.output_text.annotation.added"),
  ...atPart,
  annotation_index: index,
  annotation: z.unknown(),
});

const textDelta = z.object({
  type: z.literal("response.output_text.delta"),
  ...atPart,
  delta: z.string(),
  logprobs: z.array(z.never()),
});

const textDone = z.object({
  type: z.literal("response.output_text.done"),
  ...atPart,
  text: z.string(),
  logprobs: z.array(z.never()),
});

const summaryPart = z.object({
  type: z.enum(["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]),
  ...atSummary,
  part: summaryTextPart,
});

const argumentsDone = z.object({
  type: z.literal("response.function_call_arguments.done"),
  ...atItem,
  name: z.string(),
  arguments: z.string(),
});

const webSearchProgress = z.object({
  type: z.enum([
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
  ]),
  ...atItem,
});

const streamError = z
  .object({
    type: z.literal("error"),
    ...sequenced,
    code: z.string(),
    message: z.string(),
    param: z.string().nullable(),
  })
  .describe(
    "Ends a stream whose events can no longer be sent: its reader was too slow for what is kept, the response was deleted, or the server stops.",
  );

const delta = <Type extends string, At extends typeof atItem>(type: Type, at: At) =>
  z.object({ type: z.literal(type), ...at, delta: z.string() });

export const responseEvent = z.discriminatedUnion("type", [
  lifecycle,
  outputItemEvent,
  contentPart,
  textDelta,
  textDone,
  annotationAdded,
  delta("response.refusal.delta", atPart),
  z.object({ type: z.literal("response.refusal.done"), ...atPart, refusal: z.string() }),
  summaryPart,
  delta("response.reasoning_summary_text.delta", atSummary),
  z.object({ type: z.literal("response.reasoning_summary_text.done"), ...atSummary, text: z.string() }),
  delta("response.reasoning_text.delta", atPart),
  z.object({ type: z.literal("response.reasoning_text.done"), ...atPart, text: z.string() }),
  delta("response.function_call_arguments.delta", atItem),
  argumentsDone,
  webSearchProgress,
  streamError,
]);
