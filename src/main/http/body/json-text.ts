/** JSON for the scan of a body: its bytes, the lengths of its texts, and names that become equal. */
import { isUtf8 } from "node:buffer";
import { maxTextChars } from "../../../workers/contract/json.js";

/** The bytes that JSON is made of. */
export const quote = 0x22;
export const backslash = 0x5c;
export const comma = 0x2c;
export const colon = 0x3a;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
export const letterU = 0x75;
export const space = 0x20;

/** Whether a byte ends a number or a word. */
export function endsToken(byte: number): boolean {
  return tokenEnds[byte] === 1;
}

const tokenEnds = new Uint8Array(256).fill(1, 0, space + 1);
for (const byte of [comma, colon, quote, openBracket, closeBracket, openBrace, closeBrace])
  tokenEnds[byte] = 1;

/** Negative for a byte that is no digit. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | space;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export function hasHighByte(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) >= 0x80) return true;
  return false;
}

/**
 * Length of a JSON text that arrives in chunks, in the UTF-16 units that the parser will make. A text within one chunk is never too long
 * and costs nothing. Invalid UTF-8 counts too little here; the reader of the text has a bound of its own.
 */
export class TextLength {
  /** Whether the text began in an earlier chunk. */
  isSpread = false;
  #units = 0;

  begin(): void {
    this.isSpread = false;
    this.#units = 0;
  }

  /** Leaves out the bytes of an escape beyond the one unit that it stands for. */
  leaveOut(bytes: number): void {
    this.#units -= bytes;
  }

  /** Adds the text's bytes in this chunk. True if the text is too long. */
  add(chunk: Uint8Array, from: number, to: number): boolean {
    this.isSpread = true;
    let units = 0;
    for (let at = from; at < to; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte < 0x80) units += 1;
      // The first byte of a character; those of four bytes are two units.
      else if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
    this.#units += units;
    return this.#units > maxTextChars;
  }
}

const replacement = "\ufffd";
const replacementBytes = Buffer.from(replacement);

/**
 * The names of a body that contain U+FFFD when they are read, by the level of their object. Half a surrogate pair, or bytes that are no
 * UTF-8, become U+FFFD, which can make two names equal: a parser would keep the last of them without an error.
 */
export class MendedNames {
  /** By level: each name as it is read, and as it was written. */
  readonly #names: (Map<string, string> | undefined)[] = [];

  /** Another object begins on this level. */
  begin(level: number): void {
    if (this.#names.length > level) this.#names.length = level;
  }

  /** Takes a name as it was written, without its quotes. True if another name of its object becomes equal to it. */
  add(level: number, written: Buffer): boolean {
    const isText = isUtf8(written);
    if (isText && !written.includes("\\") && !written.includes(replacementBytes)) return false;
    const unescaped = unescapeName(written.toString());
    const name = unescaped?.toWellFormed();
    if (unescaped === null || !name?.includes(replacement)) return false;
    const names = this.#names[level] ?? new Map<string, string>();
    this.#names[level] = names;
    const meant = isText ? unescaped : `bytes ${written.toString("latin1")}`;
    const other = names.get(name);
    if (other === undefined) names.set(name, meant);
    return other !== undefined && other !== meant;
  }
}

/** Null for a name that is no JSON. */
export function unescapeName(written: string): string | null {
  if (!written.includes("\\")) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return null;
  }
}
