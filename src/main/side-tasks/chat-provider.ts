/** External providers that speak Chat Completions. */
import { isJsonObject, type JsonObject } from "../../workers/contract/json.js";
import { cutShort, type ModelReply, replyOf } from "./output-text.js";
import type { ProviderApi } from "./provider-api.js";
import { readCompletion, type WireChoice } from "./wire-answers.js";

export const chatProvider: ProviderApi = {
  path: "/chat/completions",
  accepts: (items) => toChatMessages(items) !== null,
  /** Sends only what every compatible provider knows: no effort, no metadata, no model of Codex's catalog. */
  compose: ({ model, items, system, schema }): JsonObject => ({
    model,
    messages: [...system.map((content) => ({ role: "system", content })), ...(toChatMessages(items) ?? [])],
    ...(schema !== null && {
      response_format: { type: "json_schema", json_schema: schema },
    }),
    stream: false,
  }),
  read: (body) => {
    const completion = readCompletion(body);
    if (completion === null) return null;
    const { id, model, choices, usage } = completion;
    return { reply: readChoice(choices), responseId: id, usage, model };
  },
};

function readChoice({ finish_reason: reason, message }: WireChoice): ModelReply {
  const content = message.content ?? "";
  if (message.refusal) return { text: message.refusal, isRefusal: true };
  if (reason === "content_filter") throw cutShort("content_filter", content);
  if (reason === "length") throw cutShort("max_output_tokens", content);
  return replyOf(content);
}

/** Null where the items hold something that Chat Completions cannot express. */
export function toChatMessages(items: readonly JsonObject[]): readonly JsonObject[] | null {
  const messages: JsonObject[] = [];
  for (const item of items) {
    // Reasoning is encrypted for its own model: no other can read it, and none needs it.
    if (item.type === "reasoning") continue;
    const message = toMessage(item);
    if (message === null) return null;
    const last = messages.at(-1);
    const calls = callsOf(message);
    // Parallel calls belong into one message, together with the text beside them.
    if (last?.role === "assistant" && message.role === "assistant" && calls.length > 0) {
      // Grown in place: a copy for each call would cost their square.
      if (Array.isArray(last.tool_calls)) last.tool_calls.push(...calls);
      else messages[messages.length - 1] = { ...last, tool_calls: [...calls] };
    } else messages.push(message);
  }
  return messages;
}

function toMessage(item: JsonObject): JsonObject | null {
  switch (item.type) {
    case "message":
      return toTextMessage(item);
    case "function_call": {
      const call = { name: item.name, arguments: item.arguments };
      const tool_calls = [{ id: item.call_id, type: "function", function: call }];
      return { role: "assistant", content: null, tool_calls };
    }
    case "function_call_output":
      return typeof item.output === "string"
        ? { role: "tool", tool_call_id: item.call_id, content: item.output }
        : null;
    default:
      return null;
  }
}

function toTextMessage({ role, content }: JsonObject): JsonObject | null {
  if (!Array.isArray(content)) return null;
  const parts = content.map(toPart);
  if (!parts.every((part) => part !== null)) return null;
  // Few compatible providers know the newer role.
  const name = role === "developer" ? "system" : role;
  // Many providers take plain text only as a string, not as parts.
  if (parts.every((part) => part.type === "text"))
    return { role: name, content: parts.map(({ text }) => text).join("\n") };
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

function callsOf({ tool_calls: calls }: JsonObject): readonly unknown[] {
  return Array.isArray(calls) ? calls : [];
}
