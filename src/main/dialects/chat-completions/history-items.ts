/** Messages as items of the model's history: each keeps its role, and calls and their outputs are items of their own. */
import type { JsonObject } from "../../../workers/contract/json.js";
import { type InputItem, toHistoryItem } from "../responses/input-items.js";
import type { AssistantMessage, AssistantPart, ChatMessage, InputPart, ToolCall } from "./message-schemas.js";

type MessageItem = Extract<InputItem, { type: "message" }>;
type MessagePart = MessageItem["content"][number];

/** The kind of the latest call of each id: a tool message does not say what it answers. */
export type CallTypes = Map<string, ToolCall["type"]>;

/** @param callTypes of the messages before this one; it adds its own. */
export function toHistoryItems(message: ChatMessage, callTypes: CallTypes): readonly JsonObject[] {
  return toItems(message, callTypes).map(toHistoryItem);
}

function toItems(message: ChatMessage, callTypes: CallTypes): readonly InputItem[] {
  switch (message.role) {
    case "system":
    case "developer":
    case "user":
      return [messageItem(message.role, toInputParts(message.content))];
    case "assistant":
      for (const { id, type } of message.tool_calls ?? []) callTypes.set(id, type);
      return assistantItems(message);
    case "tool": {
      const { tool_call_id: callId, content } = message;
      return [
        {
          type: callTypes.get(callId) === "custom" ? "custom_tool_call_output" : "function_call_output",
          call_id: callId,
          output: typeof content === "string" ? content : toInputParts(content),
        },
      ];
    }
  }
}

function assistantItems(message: AssistantMessage): readonly InputItem[] {
  const calls = (message.tool_calls ?? []).map(toCallItem);
  const parts = toAssistantParts(message.content ?? []);
  if (typeof message.refusal === "string") parts.push({ type: "refusal", refusal: message.refusal });
  // Many clients send an empty text along with calls: it says nothing.
  const says = parts.some((part) => part.type !== "output_text" || part.text !== "");
  return says || calls.length === 0 ? [messageItem("assistant", parts), ...calls] : calls;
}

function toAssistantParts(content: string | readonly AssistantPart[]): MessagePart[] {
  if (typeof content === "string") return [{ type: "output_text", text: content }];
  return content.map((part) =>
    part.type === "text"
      ? { type: "output_text", text: part.text }
      : { type: "refusal", refusal: part.refusal },
  );
}

type InputItemPart = Extract<MessagePart, { type: "input_text" | "input_image" }>;

function toInputParts(content: string | readonly InputPart[]): InputItemPart[] {
  if (typeof content === "string") return [{ type: "input_text", text: content }];
  return content.map((part) => {
    if (part.type === "text") return { type: "input_text", text: part.text };
    const { url, detail } = part.image_url;
    return { type: "input_image", image_url: url, ...(typeof detail === "string" && { detail }) };
  });
}

function toCallItem(call: ToolCall): InputItem {
  if (call.type === "custom") {
    const { name, input } = call.custom;
    return { type: "custom_tool_call", call_id: call.id, name, input };
  }
  const { name, arguments: given } = call.function;
  return { type: "function_call", call_id: call.id, name, arguments: given };
}

function messageItem(role: MessageItem["role"], content: MessagePart[]): InputItem {
  return { type: "message", role, content };
}
