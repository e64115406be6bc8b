import { isGiven } from "../requests/parameter-fate.js";
import type { ChatMessage } from "./message-schemas.js";

/** Read, or part of an answer of this service's that its caller sends back whole. */
const messageKeys: readonly string[] = [
  "role",
  "content",
  "refusal",
  "tool_calls",
  "tool_call_id",
  "annotations",
  "reasoning_content",
  // Laid on answers by the official client.
  "parsed",
];

/** Beyond so many different names the rest is not listed: each message may bring some of its own. */
const maxNames = 100;

/** Adds what a message asks for, without its place: there may be thousands. */
export function noteMessageOptions(message: ChatMessage, names: Set<string>): void {
  const note = (name: string) => {
    if (names.size < maxNames) names.add(name);
  };
  unreadKeys("messages[]", message, messageKeys).forEach(note);
  const { content } = message;
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (part.type !== "image_url") unreadKeys("messages[].content[]", part, partKeys).forEach(note);
    else {
      unreadKeys("messages[].content[]", part, ["type", "image_url"]).forEach(note);
      const { detail } = part.image_url;
      // Codex lets the model see every image in its original size.
      if (detail === "low" || detail === "high") note("messages[].content[].image_url.detail");
    }
  }
}

const partKeys = ["type", "text", "refusal"];

/** Paths of the keys that are given and that nothing reads. */
export function unreadKeys(
  parent: string,
  value: object | null | undefined,
  read: readonly string[],
): string[] {
  if (!isGiven(value)) return [];
  return Object.entries(value)
    .filter(([key, entry]) => !read.includes(key) && isGiven(entry))
    .map(([key]) => `${parent}.${key}`);
}
