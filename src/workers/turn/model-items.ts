import type { ThreadNotification } from "../app-server/protocol.js";
import { kindOfCall, kindOfOutput } from "../contract/client-tools.js";
import { codexLevels, isJsonObject, type JsonObject } from "../contract/json.js";
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
export function isModelOutput(item: JsonObject, declares: (call: JsonObject) => boolean): boolean {
  if (item.type === "message") return item.role === "assistant";
  if (kindOfCall(item) !== null) return declares(item);
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
  return kindOfOutput({ type }) !== null && typeof callId === "string" ? callId : null;
}

/** Whether this is of an answer that the model is making. */
export function showsModelAtWork(notification: ThreadNotification): boolean {
  if (notification.method === "rawResponseItem/completed") {
    const { item } = notification.params;
    return item.role === "assistant" || isToolCall(item) || outputItemTypes.has(item.type);
  }
  if (notification.method === "item/started") return notification.params.item.type in announcedItems;
  return /^item\/(?:agentMessage|reasoning)\//.test(notification.method);
}

/** Codex's advice to the model on how to get past a content filter: Codex is about to ask it again. */
export function isFilterGuidance(item: JsonObject): boolean {
  return (
    item.role === "developer" && JSON.stringify(item.content ?? "").includes("<content_filter_guidance>")
  );
}

/** The item as the model made it: Codex adds notes to items in this stream. */
export function withoutCodexNotes(item: JsonObject): JsonObject {
  const { internal_chat_message_metadata_passthrough: _notes, ...own } = item;
  return own;
}

/** An assistant message in the model's own shape, for a raw item that was lost on the way. */
export function assistantMessage(id: string, text: string): JsonObject {
  return finishedMessage(id, { type: "output_text", text, annotations: [] });
}

/** A refusal whose words Codex did not pass on. */
export function refusalMessage(id: string): JsonObject {
  return finishedMessage(id, { type: "refusal", refusal: "The model refused to answer." });
}

function finishedMessage(id: string, part: JsonObject): JsonObject {
  return { type: "message", id, role: "assistant", status: "completed", content: [part] };
}

/** `{id, text}` of an `agentMessage` thread item, else null. */
export function readAgentMessage(item: unknown): { readonly id: string; readonly text: string } | null {
  if (!isJsonObject(item) || item.type !== "agentMessage") return null;
  const { id, text } = item;
  return typeof id === "string" && typeof text === "string" ? { id, text } : null;
}

/** Whether Codex can read a call's arguments: any JSON value, not too deep, and without halves of surrogate pairs. Else it answers the call itself. */
export function isReadable(text: unknown): boolean {
  if (typeof text !== "string") return false;
  try {
    JSON.parse(text, mayCutPairs.test(text) ? refuseHalves : undefined);
    return depthOf(text) <= codexLevels;
  } catch {
    return false;
  }
}

const mayCutPairs = /\\u[dD][89a-fA-F]/;

function refuseHalves(key: string, value: unknown): unknown {
  if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed())) throw new TypeError();
  return value;
}

/** How deep brackets are nested in valid JSON. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (inText) {
      if (char === "\\") at += 1;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === "{" || char === "[") deepest = Math.max(deepest, ++depth);
    else if (char === "}" || char === "]") depth -= 1;
  }
  return deepest;
}
