import { isJsonObject } from "./json.js";

/** Longest text of a conversation, in UTF-16 units: OpenAI's bound. Codex has none of its own for injected items (0.160 to 0.171). */
export const maxTextChars = 10_485_760;

/** Keys of images and files, whose texts may be as long as a body. */
export const attachmentKeys: ReadonlySet<string> = new Set(["image_url", "url", "file_data", "result"]);

interface Step {
  readonly value: unknown;
  readonly key: string | number;
  readonly outer: Step | null;
}

/** The path of the first text, or of the object of a name, that is longer; null where none is. With a stack of its own, as JSON may be deep. */
export function findLongText(value: unknown): readonly (string | number)[] | null {
  const rest: Step[] = [{ value, key: "", outer: null }];
  for (let step = rest.pop(); step !== undefined; step = rest.pop()) {
    const held = step.value;
    if (typeof held === "string") {
      if (held.length > maxTextChars && !attachmentKeys.has(String(step.key))) return pathOf(step);
    } else if (Array.isArray(held)) {
      for (let key = held.length - 1; key >= 0; key -= 1) rest.push({ value: held[key], key, outer: step });
    } else if (isJsonObject(held)) {
      for (const [key, entry] of Object.entries(held).reverse()) {
        if (key.length > maxTextChars) return pathOf(step);
        rest.push({ value: entry, key, outer: step });
      }
    }
  }
  return null;
}

function pathOf(last: Step): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let step: Step | null = last; step !== null && step.outer !== null; step = step.outer)
    path.push(step.key);
  return path.reverse();
}
