/** Output items in OpenAI's own shapes. A test holds them against the types of the official client. */
import type { JsonObject } from "../../../workers/contract/json.js";

export type ItemStatus = "in_progress" | "completed" | "incomplete";

export interface OutputTextPart {
  readonly type: "output_text";
  readonly text: string;
  /** Citations, as the model gave them. */
  readonly annotations: readonly unknown[];
  readonly logprobs: readonly unknown[];
}

export interface RefusalPart {
  readonly type: "refusal";
  readonly refusal: string;
}

export interface ReasoningTextPart {
  readonly type: "reasoning_text";
  readonly text: string;
}

export interface SummaryTextPart {
  readonly type: "summary_text";
  readonly text: string;
}

export type MessagePart = OutputTextPart | RefusalPart;

export interface MessageItem {
  readonly type: "message";
  readonly id: string;
  readonly role: "assistant";
  readonly status: ItemStatus;
  readonly content: readonly MessagePart[];
}

export interface ReasoningItem {
  readonly type: "reasoning";
  readonly id: string;
  readonly summary: readonly SummaryTextPart[];
  readonly content?: readonly ReasoningTextPart[];
  readonly encrypted_content?: string;
}

export interface FunctionCallItem {
  readonly type: "function_call";
  readonly id: string;
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
  readonly status: ItemStatus;
}

export interface WebSearchCallItem {
  readonly type: "web_search_call";
  readonly id: string;
  readonly status: "in_progress" | "searching" | "completed" | "failed";
  /** `search`, `open_page` or `find_in_page`. */
  readonly action: JsonObject;
}

/** Any further type of item: passed on as the model made it. */
export interface PassedOnItem {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** Keys beyond these that the model's own item has (`phase`, `namespace`) are kept. */
export type OutputItem = MessageItem | ReasoningItem | FunctionCallItem | WebSearchCallItem | PassedOnItem;
