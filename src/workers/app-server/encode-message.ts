import { isJsonObject } from "../contract/json.js";
import { codexLevels, findTooDeep } from "../contract/json-depth.js";
import { mayHoldHalves, mendTexts } from "../contract/well-formed.js";
import { TooDeepError } from "./errors.js";
import { PackedList } from "./packed-list.js";
import type { OutgoingMessage } from "./transport.js";

/** No shorter text can be nested too deep. */
const deepChars = 2 * codexLevels;

/**
 * A message as Codex can read it, whoever composed it: what Codex cannot read it never answers, and the call would wait for
 * nothing. Half surrogate pairs become U+FFFD.
 *
 * @throws TooDeepError, and what `JSON.stringify` throws for what is no JSON
 */
export function encodeMessage(message: object): string {
  const text = JSON.stringify(message);
  if (text.length > deepChars && findTooDeep(message, codexLevels) !== null) {
    throw new TooDeepError(`a message is nested deeper than ${codexLevels} levels`);
  }
  return mayHoldHalves(text) ? JSON.stringify(mendTexts(message)) : text;
}

const comma = new TextEncoder().encode(",");

/** As `encodeMessage`, for a call whose `items` may be packed: those were made readable when they were packed. */
export function encodeCall(id: number, method: string, params: unknown): OutgoingMessage {
  if (!isJsonObject(params) || !(params.items instanceof PackedList))
    return encodeMessage({ id, method, params });
  const { items, ...others } = params;
  const head = encodeMessage({ id, method, params: { ...others, items: [] } });
  const tail = "]}}";
  const parts: Uint8Array[] = [Buffer.from(head.slice(0, -tail.length))];
  for (const [index, part] of items.parts.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(part);
  }
  parts.push(Buffer.from(tail));
  return parts;
}
