/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
import { isGiven } from "../requests/parameter-fate.js";
import type { ChatMessage } from "./message-schemas.js";
import { isIdle, parameterFates } from "./parameters.js";
import type { ChatRequest } from "./request-schema.js";
import type { ChatTool } from "./tool-schemas.js";

/** Codex drops a tier that the model's catalog entry lacks; these are sent, or mean the ordinary one (0.169). */
const carriedTiers: ReadonlySet<string> = new Set(["auto", "default", "fast", "flex", "priority"]);

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

export function listIgnoredParameters(body: ChatRequest): readonly string[] {
  const names = Object.entries(body)
    .filter(([name, value]) => !isIdle(name, value))
    .map(([name]) => name)
    .filter((name) => (parameterFates[name] ?? "ignored") === "ignored");
  if (isGiven(body.service_tier) && !carriedTiers.has(body.service_tier)) names.push("service_tier");
  if (body.stream_options?.include_obfuscation === true) names.push("stream_options.include_obfuscation");
  names.push(...unreadKeys("stream_options", body.stream_options, ["include_usage", "include_obfuscation"]));
  const searchKeys = ["search_context_size", "user_location"];
  names.push(...unreadKeys("web_search_options", body.web_search_options, searchKeys));
  names.push(...(body.tools ?? []).flatMap((tool, index) => listToolOptions(tool, `tools[${index}]`)));
  names.push(...new Set(body.messages.flatMap(listMessageOptions)));
  return names;
}

function listToolOptions({ function: declared, ...rest }: ChatTool, at: string): readonly string[] {
  // Codex asks for no function in the strict form.
  const strict = declared.strict === true ? [`${at}.function.strict`] : [];
  const read = ["name", "description", "parameters", "strict"];
  return [...strict, ...unreadKeys(at, rest, ["type"]), ...unreadKeys(`${at}.function`, declared, read)];
}

/** Without the place of the message, for there may be thousands. */
function listMessageOptions(message: ChatMessage): readonly string[] {
  const names = unreadKeys("messages[]", message, messageKeys);
  const { content } = message;
  if (!Array.isArray(content)) return names;
  for (const part of content) {
    if (part.type !== "image_url") names.push(...unreadKeys("messages[].content[]", part, partKeys));
    else {
      names.push(...unreadKeys("messages[].content[]", part, ["type", "image_url"]));
      const { detail } = part.image_url;
      // Codex lets the model see every image in its original size.
      if (detail === "low" || detail === "high") names.push("messages[].content[].image_url.detail");
    }
  }
  return names;
}

const partKeys = ["type", "text", "refusal"];

function unreadKeys(parent: string, value: object | null | undefined, read: readonly string[]): string[] {
  if (!isGiven(value)) return [];
  return Object.entries(value)
    .filter(([key, entry]) => !read.includes(key) && isGiven(entry))
    .map(([key]) => `${parent}.${key}`);
}
