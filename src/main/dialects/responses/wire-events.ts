/** The events of a streamed response in OpenAI's own shapes. A test holds them against the types of the official client. */
import type { ResponseObject } from "./response-object.js";
import type { MessagePart, OutputItem, ReasoningTextPart, SummaryTextPart } from "./wire-items.js";

interface Sequenced {
  readonly sequence_number: number;
}

interface AtItem extends Sequenced {
  readonly item_id: string;
  readonly output_index: number;
}

interface AtPart extends AtItem {
  readonly content_index: number;
}

interface AtSummary extends AtItem {
  readonly summary_index: number;
}

export type LifecycleEventType =
  | "response.created"
  | "response.queued"
  | "response.in_progress"
  | "response.completed"
  | "response.incomplete"
  | "response.failed";

export interface LifecycleEvent extends Sequenced {
  readonly type: LifecycleEventType;
  readonly response: ResponseObject;
}

export interface OutputItemEvent extends Sequenced {
  readonly type: "response.output_item.added" | "response.output_item.done";
  readonly output_index: number;
  readonly item: OutputItem;
}

export interface ContentPartEvent extends AtPart {
  readonly type: "response.content_part.added" | "response.content_part.done";
  readonly part: MessagePart | ReasoningTextPart;
}

export interface OutputTextDelta extends AtPart {
  readonly type: "response.output_text.delta";
  readonly delta: string;
  readonly logprobs: readonly never[];
}

export interface OutputTextDone extends AtPart {
  readonly type: "response.output_text.done";
  readonly text: string;
  readonly logprobs: readonly never[];
}

export interface AnnotationAdded extends AtPart {
  readonly type: "response.output_text.annotation.added";
  readonly annotation_index: number;
  readonly annotation: unknown;
}

export interface RefusalDelta extends AtPart {
  readonly type: "response.refusal.delta";
  readonly delta: string;
}

export interface RefusalDone extends AtPart {
  readonly type: "response.refusal.done";
  readonly refusal: string;
}

export interface SummaryPartEvent extends AtSummary {
  readonly type: "response.reasoning_summary_part.added" | "response.reasoning_summary_part.done";
  readonly part: SummaryTextPart;
}

export interface SummaryTextDelta extends AtSummary {
  readonly type: "response.reasoning_summary_text.delta";
  readonly delta: string;
}

export interface SummaryTextDone extends AtSummary {
  readonly type: "response.reasoning_summary_text.done";
  readonly text: string;
}

export interface ReasoningTextDelta extends AtPart {
  readonly type: "response.reasoning_text.delta";
  readonly delta: string;
}

export interface ReasoningTextDone extends AtPart {
  readonly type: "response.reasoning_text.done";
  readonly text: string;
}

export interface ArgumentsDelta extends AtItem {
  readonly type: "response.function_call_arguments.delta";
  readonly delta: string;
}

export interface ArgumentsDone extends AtItem {
  readonly type: "response.function_call_arguments.done";
  readonly name: string;
  readonly arguments: string;
}

export interface WebSearchProgress extends AtItem {
  readonly type:
    | "response.web_search_call.in_progress"
    | "response.web_search_call.searching"
    | "response.web_search_call.completed";
}

export type ResponseEvent =
  | LifecycleEvent
  | OutputItemEvent
  | ContentPartEvent
  | OutputTextDelta
  | OutputTextDone
  | AnnotationAdded
  | RefusalDelta
  | RefusalDone
  | SummaryPartEvent
  | SummaryTextDelta
  | SummaryTextDone
  | ReasoningTextDelta
  | ReasoningTextDone
  | ArgumentsDelta
  | ArgumentsDone
  | WebSearchProgress;
