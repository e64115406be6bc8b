/** What the scan of a body has to know of JSON: its bytes, how long its texts are, and which names become one. */
import { isUtf8 } from "node:buffer";
import { maxTextChars } from "../../../workers/contract/long-text.js";

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

/** What ends a number or a word. */
export function endsToken(byte: number): boolean {
  return tokenEnds[byte] === 1;
}

const tokenEnds = new Uint8Array(256).fill(1, 0, space + 1);
for (const byte of [comma, colon, quote, openBracket, closeBracket, openBrace, closeBrace])
  tokenEnds[byte] = 1;

/** Negative for what is no digit. */
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
 * Length of a text of JSON that arrives in chunks, in UTF-16 units as the parser will make them. A text within one chunk is no long
 * one and costs nothing. What is no UTF-8 counts too little here, and is bounded where it is read.
 */
export class TextLength {
  /** Whether the text goes on from an earlier chunk. */
  isSpread = false;
  #units = 0;

  begin(): void {
    this.isSpread = false;
    this.#units = 0;
  }

  /** Bytes of an escape beyond the one unit that it stands for. */
  leaveOut(bytes: number): void {
    this.#units -= bytes;
  }

  /** The text's bytes in this chunk. True if it is too long. */
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
 * The names of a body in which U+FFFD stands, by the level of their object. What is no text in a name, half a surrogate pair or bytes
 * that are no UTF-8, is read as U+FFFD, and two names may become one by it: a parser would keep the last of them without a word.
 */
export class MendedNames {
  /** By level: each name as it is read, and what it was before. */
  readonly #names: (Map<string, string> | undefined)[] = [];

  /** Another object begins on this level. */
  begin(level: number): void {
    if (this.#names.length > level) this.#names.length = level;
  }

  /** Takes a name as it was written, without its quotes. True where another name of its object reads the same. */
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

/** Null for what is no JSON. */
export function unescapeName(written: string): string | null {
  if (!written.includes("\\")) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return null;
  }
}
