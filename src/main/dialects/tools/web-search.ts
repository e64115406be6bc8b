/** The options of OpenAI's web search. Codex has a place for each, in `tools.web_search` of a thread's configuration. */
import type { WebSearchOptions } from "../../runtime/types.js";
import type { WebSearchDeclaration } from "./tool-schemas.js";

export function toWebSearchOptions(tool: WebSearchDeclaration): WebSearchOptions {
  const { user_location: place } = tool;
  const location = {
    country: place?.country ?? null,
    region: place?.region ?? null,
    city: place?.city ?? null,
    timezone: place?.timezone ?? null,
  };
  return {
    contextSize: tool.search_context_size ?? null,
    allowedDomains: tool.filters?.allowed_domains ?? null,
    location: Object.values(location).every((part) => part === null) ? null : location,
  };
}
