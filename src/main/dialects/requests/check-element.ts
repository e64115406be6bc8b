import type { z } from "zod";
import { isJsonObject, type JsonObject } from "../../../workers/contract/json.js";
import type { CodexNativeApiErrorCode } from "../../errors.js";
import { requestParsing, toRequestError } from "./schema-fault.js";

/** How one element of a long list is checked. */
export interface ElementCheck<Element> {
  readonly schema: z.ZodType<Element>;
  /** The list's name. */
  readonly field: string;
  /** The dialect's own code for a feature that Codex has no place for. */
  readonly unsupported: CodexNativeApiErrorCode;
}

/** Elements of a list within the element that are checked at once. */
const partsAtOnce = 100;

/**
 * One element as its schema has it. A long list within it, of content parts for instance, is checked in pieces: zod describes every
 * fault, and the first is enough.
 *
 * @throws CodexNativeApiError `invalid_request`, or what `unsupported` says; `param` is the path of the field.
 */
export function checkElement<Element extends object>(
  value: unknown,
  index: number,
  check: ElementCheck<Element>,
): Element {
  const lists = isJsonObject(value) ? longLists(value) : [];
  if (!isJsonObject(value) || lists.length === 0) return parsePiece(value, index, check);
  const shortened = {
    ...value,
    ...Object.fromEntries(lists.map(([name, list]) => [name, list.slice(0, partsAtOnce)])),
  };
  const element = parsePiece(shortened, index, check);
  for (const [name, list] of lists) {
    // Zod copies what it checks: a list that came back itself is one that the schema does not read.
    if (Reflect.get(element, name) === Reflect.get(shortened, name)) {
      Reflect.set(element, name, list);
      continue;
    }
    const whole = readList(element, name);
    for (let from = partsAtOnce; from < list.length; from += partsAtOnce) {
      const piece = { ...shortened, [name]: list.slice(from, from + partsAtOnce) };
      for (const part of readList(parsePiece(piece, index, check, { name, from }), name)) whole.push(part);
    }
  }
  return element;
}

function parsePiece<Element>(
  value: unknown,
  index: number,
  { schema, field, unsupported }: ElementCheck<Element>,
  part?: { readonly name: string; readonly from: number },
): Element {
  const parsed = schema.safeParse(value, requestParsing);
  if (parsed.success) return parsed.data;
  throw toRequestError(parsed.error, unsupported, {
    path: [field, index],
    ...(part !== undefined && { part }),
  });
}

function longLists(value: JsonObject): readonly (readonly [string, readonly unknown[]])[] {
  const lists: (readonly [string, readonly unknown[]])[] = [];
  for (const [name, entry] of Object.entries(value)) {
    if (Array.isArray(entry) && entry.length > partsAtOnce) lists.push([name, entry]);
  }
  return lists;
}

/** The list as the schema put it out; a new one, for zod copies what it checks. */
function readList(element: object, name: string): unknown[] {
  const list: unknown = Reflect.get(element, name);
  return Array.isArray(list) ? list : [];
}
