/** Names what a request asks for and Codex has no field for, so that it is never dropped in silence. */
import { isGiven } from "../requests/parameter-fate.js";
import { unreadKeys } from "./message-options.js";
import { isIdle, parameterFates } from "./parameters.js";
import type { ChatRequest } from "./request-schema.js";
import type { ChatTool } from "./tool-schemas.js";

/** Codex drops a tier that the model's catalog entry lacks; these are sent, or mean the ordinary one (0.169). */
const carriedTiers: ReadonlySet<string> = new Set(["auto", "default", "fast", "flex", "priority"]);

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
  names.push(...body.messages.ignored);
  return names;
}

function listToolOptions({ function: declared, ...rest }: ChatTool, at: string): readonly string[] {
  // Codex asks for no function in the strict form.
  const strict = declared.strict === true ? [`${at}.function.strict`] : [];
  const read = ["name", "description", "parameters", "strict"];
  return [...strict, ...unreadKeys(at, rest, ["type"]), ...unreadKeys(`${at}.function`, declared, read)];
}
