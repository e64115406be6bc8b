import { compareToTested, isAtLeast } from "./codex-capabilities.js";
import { readChunk } from "./item-chunk.js";
import { isJsonObject, type JsonObject } from "./json.js";
import type { TurnAssignment } from "./turn.js";

/** Codex reads `$name` in a person's text as a call for a skill, `@name` for a plugin. */
const codexReadsMore = /[$@]/;

/** A longer text gains nothing by it, and is not read only to find out. */
const maxBytes = 64 * 1024;

/**
 * The text of a history that is one plain message of the user's, for Codex to take as the turn's own input, which saves a fifth
 * of a short turn. Null where Codex would, or might, make more of it than a message: then it is injected like any
 * other item. `test/e2e/plain-text.test.ts` compares both ways.
 */
export function plainTextOf(
  { items, directives }: Pick<TurnAssignment, "items" | "directives">,
  codexVersion: string | null,
): string | null {
  const [chunk, ...others] = items;
  if (chunk?.count !== 1 || others.length > 0 || directives.length > 0) return null;
  if (chunk.json.length > maxBytes || !isSameOn(codexVersion)) return null;
  const [item] = readChunk(chunk);
  const text = item === undefined ? null : textOf(item);
  return text === null || text === "" || codexReadsMore.test(text) ? null : text;
}

/** 0.140 puts its own context elsewhere in the `codex` profile; a version that was not tried may read more into a text. */
function isSameOn(codexVersion: string | null): boolean {
  if (codexVersion === null || compareToTested(codexVersion) !== "within") return false;
  return isAtLeast(codexVersion, 0, 150);
}

function textOf({ type, role, content, ...rest }: JsonObject): string | null {
  if (type !== "message" || role !== "user" || Object.keys(rest).length > 0 || !Array.isArray(content)) {
    return null;
  }
  const [part, ...others]: readonly unknown[] = content;
  if (!isJsonObject(part) || others.length > 0) return null;
  const { type: partType, text, ...more } = part;
  return partType === "input_text" && typeof text === "string" && Object.keys(more).length === 0
    ? text
    : null;
}
