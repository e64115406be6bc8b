/** The events of a streamed response in OpenAI's own shapes. A test holds them against the types of the official client. */
import { z } from "zod";
import { Error as apiError, index, type Sent, text } from "../answers/wire-types.js";
import { OutputItem, outputTextPart, reasoningTextPart, refusalPart, summaryTextPart } from "./wire-items.js";
import { Response } from "./wire-response.js";

const atItem = z.object({ item_id: z.string(), output_index: index });
export type AtItem = Sent<typeof atItem>;

const atPart = atItem.extend({ content_index: index });
export type AtPart = Sent<typeof atPart>;

const atSummary = atItem.extend({ summary_index: index });
export type AtSummary = Sent<typeof atSummary>;

const logprobs = z.array(z.never());

/** An event with these fields, of one of these types. */
function event<Type extends string, Fields extends z.ZodRawShape>(fields: Fields, ...types: Type[]) {
  const sequence_number = index.describe("Counts from 0, without gaps.");
  return z.object({ type: z.literal(types), sequence_number, ...fields });
}

/** Events that say where the response as a whole stands. */
const lifecycleEvent = event(
  { response: Response },
  "response.created",
  "response.queued",
  "response.in_progress",
  "response.completed",
  "response.incomplete",
  "response.failed",
);
export type LifecycleEventType = Sent<typeof lifecycleEvent>["type"];

/**
 * Ends a stream whose events can no longer be sent, while the response itself may go on or have ended well. It is told twice, as OpenAI's
 * reference has it and as Open Responses does, which is what OpenAI sends and what makes its client throw.
 */
const streamErrorEvent = event(
  { code: z.string(), message: z.string(), param: text, error: apiError.shape.error },
  "error",
).describe(
  "Ends a stream whose events are no longer available: its reader was too slow for the events that are kept, the response was deleted, or the service shuts down.",
);
export type StreamErrorEvent = Sent<typeof streamErrorEvent>;

export const ResponseEvent = z.discriminatedUnion("type", [
  lifecycleEvent,
  event({ output_index: index, item: OutputItem }, "response.output_item.added", "response.output_item.done"),
  event(
    { ...atPart.shape, part: z.discriminatedUnion("type", [outputTextPart, refusalPart, reasoningTextPart]) },
    "response.content_part.added",
    "response.content_part.done",
  ),
  event({ ...atPart.shape, delta: z.string(), logprobs }, "response.output_text.delta"),
  event({ ...atPart.shape, text: z.string(), logprobs }, "response.output_text.done"),
  event(
    { ...atPart.shape, annotation_index: index, annotation: z.unknown() },
    "response.output_text.annotation.added",
  ),
  event({ ...atPart.shape, delta: z.string() }, "response.refusal.delta"),
  event({ ...atPart.shape, refusal: z.string() }, "response.refusal.done"),
  event(
    { ...atSummary.shape, part: summaryTextPart },
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
  ),
  event({ ...atSummary.shape, delta: z.string() }, "response.reasoning_summary_text.delta"),
  event({ ...atSummary.shape, text: z.string() }, "response.reasoning_summary_text.done"),
  event({ ...atPart.shape, delta: z.string() }, "response.reasoning_text.delta"),
  event({ ...atPart.shape, text: z.string() }, "response.reasoning_text.done"),
  event({ ...atItem.shape, delta: z.string() }, "response.function_call_arguments.delta"),
  event(
    { ...atItem.shape, name: z.string(), arguments: z.string() },
    "response.function_call_arguments.done",
  ),
  event({ ...atItem.shape, delta: z.string() }, "response.custom_tool_call_input.delta"),
  event({ ...atItem.shape, input: z.string() }, "response.custom_tool_call_input.done"),
  event(
    atItem.shape,
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
  ),
  streamErrorEvent,
]);

/** The events of a turn. */
export type ResponseEvent = Exclude<Sent<typeof ResponseEvent>, StreamErrorEvent>;

export type EventOf<Type extends ResponseEvent["type"]> = Narrowed<ResponseEvent, Type>;

type Narrowed<Event extends ResponseEvent, Type> = Event extends ResponseEvent
  ? Type & Event["type"] extends never
    ? never
    : Event & { readonly type: Type & Event["type"] }
  : never;

export type UnnumberedEvent = Unnumbered<ResponseEvent>;

type Unnumbered<Event> = Event extends ResponseEvent ? Omit<Event, "sequence_number"> : never;
