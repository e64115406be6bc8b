import type { ThreadNotification } from "../app-server/protocol.js";
import { isJsonObject, type JsonObject } from "../contract/json.js";
import type { OutputItemType } from "../contract/turn-messages.js";

/** Raw items that the model put out. Codex echoes its own injected context and tool outputs in the same stream. */
const outputItemTypes = new Set(["reasoning", "web_search_call", "image_generation_call"]);

/** Codex's names of the items that it announces before the model has finished them. */
export const announcedItems: Readonly<Record<string, OutputItemType>> = {
  agentMessage: "message",
  reasoning: "reasoning",
  webSearch: "web_search_call",
};

/**
 * Calls of tools that the caller has not declared, a shell's among them, are Codex's to refuse: shown, they would read as if the
 * caller was to run them.
 */
export function isModelOutput(item: JsonObject, declaredTools: ReadonlySet<string>): boolean {
  if (item.type === "message") return item.role === "assistant";
  if (item.type === "function_call") return typeof item.name === "string" && declaredTools.has(item.name);
  return typeof item.type === "string" && outputItemTypes.has(item.type);
}

const toolCallTypes: ReadonlySet<unknown> = new Set([
  "function_call",
  "custom_tool_call",
  "local_shell_call",
  "tool_search_call",
]);

/** A call of a tool, which waits for an output. A search among tools that the backend made by itself has one. */
export function isToolCall({ type, execution }: JsonObject): boolean {
  return toolCallTypes.has(type) && execution !== "server";
}

/** The call id of an output that Codex put into the history; null for any other notification. */
export function readOutputCallId(notification: ThreadNotification): string | null {
  if (notification.method !== "rawResponseItem/completed") return null;
  const { type, call_id: callId } = notification.params.item;
  return type === "function_call_output" && typeof callId === "string" ? callId : null;
}

const workOfModel: ReadonlySet<ThreadNotification["method"]> = new Set([
  "item/agentMessage/delta",
  "item/reasoning/summaryPartAdded",
  "item/reasoning/summaryTextDelta",
  "item/reasoning/textDelta",
]);

/** Whether this is of an answer that the model is making. */
export function showsModelAtWork(notification: ThreadNotification): boolean {
  if (notification.method === "rawResponseItem/completed") {
    const { item } = notification.params;
    return item.role === "assistant" || isToolCall(item) || outputItemTypes.has(item.type);
  }
  if (notification.method === "item/started") return notification.params.item.type in announcedItems;
  return workOfModel.has(notification.method);
}

/** Codex's own word to the model on how to get past a content filter: it is about to ask it again. */
export function isFilterGuidance(item: JsonObject): boolean {
  return (
    item.role === "developer" && JSON.stringify(item.content ?? "").includes("<content_filter_guidance>")
  );
}

/** The item as the model made it: Codex notes things of its own on items in this stream. */
export function withoutCodexNotes(item: JsonObject): JsonObject {
  const { internal_chat_message_metadata_passthrough: _notes, ...own } = item;
  return own;
}

export function itemId(item: JsonObject): string | null {
  return typeof item.id === "string" ? item.id : null;
}

/** An assistant message in the model's own shape, for a raw item that was lost on the way. */
export function assistantMessage(id: string, text: string): JsonObject {
  return {
    type: "message",
    id,
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
}

/** A refusal whose words Codex did not pass on. */
export function refusalMessage(id: string): JsonObject {
  const content = [{ type: "refusal", refusal: "The model refused to answer." }];
  return { type: "message", id, role: "assistant", status: "completed", content };
}

/** `{id, text}` of an `agentMessage` thread item, else null. */
export function readAgentMessage(item: unknown): { readonly id: string; readonly text: string } | null {
  if (!isJsonObject(item) || item.type !== "agentMessage") return null;
  const { id, text } = item;
  return typeof id === "string" && typeof text === "string" ? { id, text } : null;
}
