/** Values of JSON: what a message, an item or a schema is made of, and what Codex or this service cannot take in one. */

/** A JSON object whose keys are not ours to fix: items and schemas that pass through unchanged. */
export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return isContainer(value) && !Array.isArray(value);
}

/** The object without the keys whose value is null: null counts as not given, as with OpenAI. */
export function withoutNulls<Value>(
  value: Readonly<Record<string, Value>>,
): Record<string, Exclude<Value, null | undefined>> {
  const isGiven = (entry: Value): entry is Exclude<Value, null | undefined> =>
    entry !== null && entry !== undefined;
  // Never by assignment: a key may be `__proto__`.
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (isGiven(entry) ? [[key, entry] as const] : [])),
  );
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Keys and indices that lead from a value to a part of it. */
type JsonPath = readonly (string | number)[];

/** Levels of objects and lists of a JSON-RPC message that Codex reads, its own envelope counted; it never answers a deeper one. */
export const codexLevels = 127;

/** The path of the first object or list below this many levels; null where there is none. */
export function findTooDeep(value: unknown, maxLevels: number): JsonPath | null {
  return findPath(value, isContainer, ({ level }) => level > maxLevels);
}

/** Longest text of a conversation, in UTF-16 units: OpenAI's bound. Codex has none of its own for injected items (0.160 to 0.171). */
export const maxTextChars = 10_485_760;

/** Keys of images and files, whose texts may be as long as a body. */
export const attachmentKeys: ReadonlySet<string> = new Set(["image_url", "url", "file_data", "result"]);

/** The path of the first text that is too long, or of the object that has such a key; null where there is none. */
export function findLongText(value: unknown): JsonPath | null {
  return findPath(
    value,
    (part) => isContainer(part) || typeof part === "string",
    ({ value: part, key }) =>
      typeof part === "string"
        ? part.length > maxTextChars && !attachmentKeys.has(String(key))
        : isJsonObject(part) && Object.keys(part).some((name) => name.length > maxTextChars),
  );
}

/** One part on the way from the root. */
interface Step {
  readonly value: unknown;
  readonly level: number;
  readonly key: string | number;
  readonly outer: Step | null;
}

/** The first part, in the order of the JSON, that is at fault. With a stack of its own, as JSON may be deeper than the call stack. */
function findPath(
  root: unknown,
  matters: (part: unknown) => boolean,
  isFault: (step: Step) => boolean,
): JsonPath | null {
  const rest: Step[] = matters(root) ? [{ value: root, level: 1, key: "", outer: null }] : [];
  for (let step = rest.pop(); step !== undefined; step = rest.pop()) {
    if (isFault(step)) return pathOf(step);
    if (!isContainer(step.value)) continue;
    const isList = Array.isArray(step.value);
    for (const [key, value] of Object.entries(step.value).reverse()) {
      if (!matters(value)) continue;
      rest.push({ value, level: step.level + 1, key: isList ? Number(key) : key, outer: step });
    }
  }
  return null;
}

function pathOf({ key, outer }: Step): JsonPath {
  const path: (string | number)[] = [];
  for (let step = { key, outer }; step.outer !== null; step = step.outer) path.push(step.key);
  return path.reverse();
}

/** Null for text that is not a JSON object. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The search ends after so many values. */
const maxValues = 1_000_000;

/**
 * Path of the first part that JSON has no form for: a BigInt, a function, a symbol, a circle, a getter that throws. Null where
 * there is none. For values that a program hands in; what was parsed from JSON has no such part.
 */
export function findNotJson(root: unknown): string | null {
  const above = new Set<object>();
  let left = maxValues;

  function look(value: unknown, path: string): string | null {
    left -= 1;
    if (left < 0 || value === null) return null;
    if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return path;
    if (typeof value !== "object" || ArrayBuffer.isView(value)) return null;
    if (above.has(value)) return path;
    above.add(value);
    const found = lookInside(value, path);
    above.delete(value);
    return found;
  }

  function lookInside(value: object, path: string): string | null {
    for (const key of Object.keys(value)) {
      const inner = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      try {
        const found = look(Reflect.get(value, key), inner);
        if (found !== null) return found;
      } catch {
        // A getter that throws, or nesting too deep to follow.
        return inner;
      }
    }
    return null;
  }

  return look(root, "");
}

/**
 * The UTF-8 bytes of a value's JSON, escapes left out, without making that JSON: a picture of ten megabytes costs one look
 * at its length. With a stack of its own, because a client's JSON may be nested deeper than the call stack is.
 */
export function measureJsonBytes(value: unknown): number {
  let bytes = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === "string") bytes += Buffer.byteLength(next) + 2;
    else if (!isContainer(next)) bytes += String(next).length;
    else if (Array.isArray(next)) {
      // The brackets, and a comma for all but the last.
      bytes += Math.max(2, next.length + 1);
      for (const element of next) rest.push(element);
    } else bytes += measureKeys(next, rest);
  }
  return bytes;
}

function measureKeys(object: object, rest: unknown[]): number {
  let bytes = 1;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    // Quotes, colon, and a comma or the closing brace.
    bytes += Buffer.byteLength(key) + 4;
    rest.push(value);
  }
  return Math.max(2, bytes);
}

/** Whether a text that `JSON.stringify` made may hold half a surrogate pair: those come out as escapes, whole pairs do not. */
export function mayHoldHalves(json: string): boolean {
  return json.includes("\\ud");
}

/** The value with U+FFFD in the place of half surrogate pairs, in its texts and keys: Codex answers no message that holds one. */
export function mendTexts(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mendTexts);
  if (!isContainer(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, unknown]) => [key.toWellFormed(), mendTexts(entry)]),
  );
}

/** `input[2].content[0].type`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}
