/** Reads a finished item of the model into OpenAI's shape: Codex's own keys go, what OpenAI's types require is filled in. */
import { itemTypesOf, kindOfCall } from "../../../workers/contract/client-tools.js";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type {
  CustomToolCallItem,
  FunctionCallItem,
  ItemStatus,
  MessageItem,
  MessagePart,
  PassedOnItem,
  ReasoningItem,
  ReasoningTextPart,
  SummaryTextPart,
  WebSearchCallItem,
} from "./wire-items.js";

export type ModelItem =
  | { readonly kind: "message"; readonly item: MessageItem }
  | { readonly kind: "reasoning"; readonly item: ReasoningItem }
  | { readonly kind: "function_call"; readonly item: FunctionCallItem }
  | { readonly kind: "custom_tool_call"; readonly item: CustomToolCallItem }
  | { readonly kind: "web_search_call"; readonly item: WebSearchCallItem }
  | { readonly kind: "other"; readonly item: PassedOnItem };

/** Keys that Codex lays on items for itself. */
const internalKeys: ReadonlySet<string> = new Set(["internal_chat_message_metadata_passthrough"]);

/** @param id the one already shown to the client, or one made for an item that came without. */
export function readModelItem(raw: JsonObject, id: string, includeEncryptedReasoning: boolean): ModelItem {
  const item = { ...withoutInternalKeys(raw), id };
  switch (raw.type) {
    case "message":
      return { kind: "message", item: readMessage(item, id) };
    case "reasoning":
      return { kind: "reasoning", item: readReasoning(item, id, includeEncryptedReasoning) };
    case "function_call":
      return { kind: "function_call", item: readFunctionCall(item, id) };
    case "custom_tool_call":
      return { kind: "custom_tool_call", item: readCustomToolCall(item, id) };
    case "web_search_call":
      return { kind: "web_search_call", item: readWebSearchCall(item, id) };
    default:
      return { kind: "other", item };
  }
}

/** Ids of items bear their kind, as OpenAI's do. */
export function idPrefixOf(type: unknown): string {
  if (type === "message") return "msg";
  if (type === "reasoning") return "rs";
  if (type === "web_search_call") return "ws";
  const kind = kindOfCall({ type });
  return kind === null ? "item" : itemTypesOf[kind].idPrefix.slice(0, -1);
}

function withoutInternalKeys(raw: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !internalKeys.has(key)));
}

function readMessage(item: JsonObject, id: string): MessageItem {
  const content = arrayOf(item.content)
    .map(readMessagePart)
    .filter((part) => part !== null);
  return { ...item, type: "message", id, role: "assistant", status: readStatus(item.status), content };
}

function readMessagePart(part: unknown): MessagePart | null {
  if (!isJsonObject(part)) return null;
  if (part.type === "refusal") return { ...part, type: "refusal", refusal: textOf(part.refusal) };
  return {
    ...part,
    type: "output_text",
    text: textOf(part.text),
    annotations: arrayOf(part.annotations),
    logprobs: arrayOf(part.logprobs),
  };
}

function readReasoning(item: JsonObject, id: string, includeEncrypted: boolean): ReasoningItem {
  const { content: rawContent, encrypted_content: encrypted, ...rest } = item;
  const summary = textParts(item.summary).map((text): SummaryTextPart => ({ type: "summary_text", text }));
  const content = textParts(rawContent).map((text): ReasoningTextPart => ({ type: "reasoning_text", text }));
  return {
    ...rest,
    type: "reasoning",
    id,
    summary,
    ...(content.length > 0 && { content }),
    ...(includeEncrypted && typeof encrypted === "string" && { encrypted_content: encrypted }),
  };
}

function readFunctionCall(item: JsonObject, id: string): FunctionCallItem {
  return {
    ...item,
    type: "function_call",
    id,
    call_id: textOf(item.call_id),
    name: textOf(item.name),
    arguments: textOf(item.arguments),
    status: readStatus(item.status),
  };
}

/** OpenAI's has no status. */
function readCustomToolCall({ status: _status, ...item }: JsonObject, id: string): CustomToolCallItem {
  return {
    ...item,
    type: "custom_tool_call",
    id,
    call_id: textOf(item.call_id),
    name: textOf(item.name),
    input: textOf(item.input),
  };
}

function readWebSearchCall(item: JsonObject, id: string): WebSearchCallItem {
  const action = isJsonObject(item.action) ? item.action : { type: "search" };
  const status = item.status === "failed" ? "failed" : "completed";
  return { ...item, type: "web_search_call", id, status, action };
}

/** An item that is complete but does not say so is. */
function readStatus(status: unknown): ItemStatus {
  return status === "incomplete" ? "incomplete" : "completed";
}

function textParts(parts: unknown): readonly string[] {
  return arrayOf(parts).map((part) => (isJsonObject(part) ? textOf(part.text) : ""));
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/**
 * What `whole` has beyond the text already shown, and what of the shown text belongs to the part after it. Text that is no
 * beginning of `whole` cannot be mended by a delta; then the part's done event tells the truth.
 */
export function missingText(
  shown: string,
  whole: string,
): { readonly rest: string; readonly surplus: string } {
  if (whole.startsWith(shown)) return { rest: whole.slice(shown.length), surplus: "" };
  if (shown.startsWith(whole)) return { rest: "", surplus: shown.slice(whole.length) };
  return { rest: "", surplus: "" };
}
