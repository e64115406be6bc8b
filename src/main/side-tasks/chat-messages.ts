/** Items of the Responses API as messages of Chat Completions, for providers that speak nothing else. */
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";

/** Null where the items hold what Chat Completions has no word for. */
export function toChatMessages(items: readonly JsonObject[]): readonly JsonObject[] | null {
  const messages: JsonObject[] = [];
  for (const item of items) {
    const message = toMessage(item);
    if (message === null) return null;
    if (message === "nothing") continue;
    const last = messages.at(-1);
    // Calls made at once belong into one message, and so does what was said with them.
    if (last !== undefined && joins(last, message)) {
      messages[messages.length - 1] = { ...last, tool_calls: [...callsOf(last), ...callsOf(message)] };
    } else messages.push(message);
  }
  return messages;
}

function toMessage(item: JsonObject): JsonObject | "nothing" | null {
  switch (item.type) {
    case "message":
      return toSpokenMessage(item);
    case "function_call":
      return {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: item.call_id,
            type: "function",
            function: { name: item.name, arguments: item.arguments },
          },
        ],
      };
    case "function_call_output":
      return typeof item.output === "string"
        ? { role: "tool", tool_call_id: item.call_id, content: item.output }
        : null;
    // Encrypted for its own model: no other can read it, and none has to.
    case "reasoning":
      return "nothing";
    default:
      return null;
  }
}

function toSpokenMessage({ role, content }: JsonObject): JsonObject | null {
  if (!Array.isArray(content)) return null;
  const parts = content.map(toPart);
  if (!parts.every((part) => part !== null)) return null;
  const onlyText = parts.every((part) => part.type === "text");
  // Few compatible providers know the newer word for it.
  const name = role === "developer" ? "system" : role;
  // Many take text alone as a string and not as parts.
  if (onlyText) return { role: name, content: parts.map(({ text }) => text).join("\n") };
  return role === "user" ? { role: name, content: parts } : null;
}

function toPart(part: unknown): JsonObject | null {
  if (!isJsonObject(part)) return null;
  if (part.type === "input_text" || part.type === "output_text") return { type: "text", text: part.text };
  if (part.type !== "input_image") return null;
  const { image_url: url, detail } = part;
  const isCommon = detail === "auto" || detail === "low" || detail === "high";
  return { type: "image_url", image_url: { url, ...(isCommon && { detail }) } };
}

function joins(last: JsonObject, message: JsonObject): boolean {
  return last.role === "assistant" && message.role === "assistant" && callsOf(message).length > 0;
}

function callsOf({ tool_calls: calls }: JsonObject): readonly unknown[] {
  return Array.isArray(calls) ? calls : [];
}
