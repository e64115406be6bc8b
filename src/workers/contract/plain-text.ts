import { isJsonObject, type JsonObject } from "./json.js";

/** The versions on which what the backend is sent was seen to be the same either way. */
const tried = { major: 0, firstMinor: 140, lastMinor: 169 } as const;

/** Codex reads `$name` in a person's text as a call for a skill, `@name` for a plugin. */
const codexReadsMore = /[$@]/;

/**
 * The text of a history that is one plain message of the user's, for Codex to take as the turn's own input: half an injection's
 * cost is thereby saved. Null where Codex would, or might, make more of it than a message: then it is injected like any
 * other item. `test/e2e/plain-text.test.ts` compares both ways.
 */
export function plainTextOf(items: readonly JsonObject[], codexVersion: string | null): string | null {
  const [item, ...others] = items;
  if (item === undefined || others.length > 0 || !isTried(codexVersion)) return null;
  const text = textOf(item);
  return text === null || text === "" || codexReadsMore.test(text) ? null : text;
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

function isTried(codexVersion: string | null): boolean {
  const read = /^(\d+)\.(\d+)\./.exec(codexVersion ?? "");
  if (read === null) return false;
  const [major, minor] = [Number(read[1]), Number(read[2])];
  return major === tried.major && minor >= tried.firstMinor && minor <= tried.lastMinor;
}
