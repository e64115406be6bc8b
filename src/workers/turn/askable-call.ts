import type { JsonObject } from "../contract/json.js";
import { codexLevels } from "../contract/json-depth.js";

/**
 * Whether Codex can ask for the output of a model's call. It answers by itself what it cannot read ("failed to parse function
 * arguments"), and what it does not find under the name and namespace that the model wrote ("unsupported call").
 *
 * @param nativeName the name under which the function was offered.
 */
export function canBeAskedFor(call: JsonObject, nativeName: string): boolean {
  return call.name === nativeName && !hasNamespace(call) && isReadable(call.arguments);
}

/** Models write the one that functions have by nature, which newer versions of Codex read as none. */
function hasNamespace({ namespace }: JsonObject): boolean {
  return typeof namespace === "string" && namespace !== "" && namespace !== "functions";
}

/** Any JSON value, as Codex's parser reads it: not too deep, and without halves of surrogate pairs. */
function isReadable(text: unknown): boolean {
  if (typeof text !== "string") return false;
  try {
    const value: unknown = JSON.parse(text);
    return depthOf(text) <= codexLevels && !(mayCutPairs.test(text) && hasCutPair(value));
  } catch {
    return false;
  }
}

const mayCutPairs = /\\u[dD][89a-fA-F]/;
const cutPair = /\p{Surrogate}/u;

function hasCutPair(value: unknown): boolean {
  if (typeof value === "string") return cutPair.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, entry]) => cutPair.test(key) || hasCutPair(entry));
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
