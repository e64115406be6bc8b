import { attachmentKeys, codexLevels, formatPath, maxTextChars } from "../../../workers/contract/json.js";
import { maxBodyLevels } from "../../dialects/requests/fields.js";
import { CodexNativeApiError } from "../../errors.js";
import type { BodyBytes } from "./body-bytes.js";
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  endsToken,
  hasHighByte,
  hexValue,
  letterU,
  MendedNames,
  openBrace,
  openBracket,
  quote,
  space,
  TextLength,
  unescapeName,
} from "./json-text.js";

/** Bounds on what a body may hold, whatever its length. */
export interface JsonBounds {
  /** JSON values in a whole body: objects, lists, texts, numbers and so on. */
  readonly maxBodyValues: number;
  /** JSON values in one item of `input` or `messages`, and in all the other fields together. */
  readonly maxItemValues: number;
}

/** A list whose elements are parsed a few at a time. */
export interface ScannedList {
  readonly name: string;
  /** Offset of the byte after the opening bracket. */
  readonly start: number;
  /** Offset of the closing bracket; -1 before it has arrived. */
  end: number;
  /**
   * Commas between elements at which the list is cut into batches, and its end. `sameName`: path of the first key since the last cut that
   * equals another key of its object once both are mended; null: none.
   */
  readonly cuts: { readonly at: number; readonly sameName: string | null }[];
}

const maxLevels = maxBodyLevels;
/** An item of `input` is one level deeper in the message to Codex than in a body. */
const listLevels: Readonly<Record<string, number>> = {
  input: codexLevels - 1,
  messages: maxLevels,
  questions: maxLevels,
};

/** Size of a batch, which is parsed in one call, in bytes and in values. */
const batchBytes = 64 * 1024;
const batchValues = 2_000;
/** Longest path in an error, in characters. */
const maxPathChars = 1_000;
const maxNameChars = 64;

const replacement = new TextEncoder().encode("fffd");

const inObject = 1;
const inArray = 2;

const plain = 0;
const text = 1;
const escaped = 2;
const unicode = 3;
const token = 4;

/**
 * Reads a JSON text byte by byte as it arrives. It counts values and levels, and finds the places where long lists can be cut. It replaces
 * half surrogate pairs (`\ud83d` alone, an emoji cut in two) by U+FFFD, since Codex never answers them, and reports names that become
 * equal by that, or because they are no UTF-8. The parser finds all other faults, except brackets that do not match.
 */
export class JsonScan {
  readonly lists: ScannedList[] = [];
  /** Path of the first such key outside the lists, as in a cut. */
  sameName: string | null = null;
  readonly #bytes: BodyBytes;
  readonly #bounds: JsonBounds;
  #fault: CodexNativeApiError | null = null;
  #state = plain;
  #depth = 0;
  readonly #kinds = new Uint8Array(maxLevels + 1);
  /** By level: whether the next text of an object is a key, and the offsets of its last key. */
  readonly #awaitsKey = new Uint8Array(maxLevels + 1);
  readonly #keyStarts = new Float64Array(maxLevels + 1);
  readonly #keyEnds = new Float64Array(maxLevels + 1);
  /** By level: place in the list. */
  readonly #indexes = new Float64Array(maxLevels + 1);
  #isKey = false;
  /** Whether a key may change when it is read: it has bytes beyond ASCII, half a pair, or U+FFFD. */
  #isOddKey = false;
  /** Offsets of the digits of a key's half surrogate pairs, which are patched after the key was compared. */
  #halves: number[] = [];
  readonly #mendedNames = new MendedNames();
  readonly #length = new TextLength();
  #values = 0;
  #outsideValues = 0;
  #itemValues = 0;
  #list: ScannedList | null = null;
  #batchStart = 0;
  #batchValues = 0;
  #batchSameName: string | null = null;
  /** Missing digits of a `\u`, and the value of the others. */
  #digitsLeft = 0;
  #unit = 0;
  /** Offset of the digits of a high surrogate without a partner so far; -1: none. */
  #highDigits = -1;

  constructor(bytes: BodyBytes, bounds: JsonBounds) {
    this.#bytes = bytes;
    this.#bounds = bounds;
  }

  /**
   * Scans the next bytes, which are part of `bytes` already. Returns why the body is refused, or null: `invalid_json`, or
   * `invalid_request` for a body beyond the bounds.
   */
  push(chunk: Uint8Array, from: number, to: number, offset: number): CodexNativeApiError | null {
    let state = this.#state;
    let textFrom = from;
    for (let at = from; at < to; at += 1) {
      let byte = chunk[at];
      if (state === text) {
        // Most bytes of most bodies are read here.
        const start = at;
        while (byte !== quote && byte !== backslash && at < to) {
          at += 1;
          byte = chunk[at];
        }
        if (this.#isKey) this.#isOddKey ||= hasHighByte(chunk, start, at);
        if (at >= to) break;
        if (byte === quote) {
          if (this.#length.isSpread) this.#countText(chunk, from, at);
          this.#endText(offset + at - from);
          state = plain;
        } else if (byte === backslash) {
          state = escaped;
          this.#length.leaveOut(1);
        }
        continue;
      }
      if (byte === undefined) break;
      if (state === token) {
        if (!endsToken(byte)) continue;
        state = plain;
      }
      if (state === plain) {
        if (byte <= space) continue;
        state = this.#takePlain(byte, offset + at - from);
        if (this.#fault !== null) break;
        if (state === text) textFrom = at + 1;
      } else if (state === escaped) {
        state = byte === letterU ? unicode : text;
        if (state === unicode) this.#length.leaveOut(4);
        this.#digitsLeft = 4;
        this.#unit = 0;
      } else state = this.#takeDigit(byte, offset + at - from);
    }
    this.#state = state;
    if (state === text || state === escaped || state === unicode) this.#countText(chunk, textFrom, to);
    return this.#fault;
  }

  #countText(chunk: Uint8Array, from: number, to: number): void {
    if (!this.#length.add(chunk, from, to)) return;
    const depth = this.#depth;
    if (!this.#isKey && this.#kinds[depth] === inObject && attachmentKeys.has(this.#keyAt(depth) ?? ""))
      return;
    const path = this.#path(this.#isKey ? depth - 1 : depth);
    const subject = path === "" ? "A text or a name" : `'${path}'`;
    this.#fault ??= beyondBounds(`${subject} is longer than ${maxTextChars} characters.`, path);
  }

  /** A byte outside of texts, numbers and words; returns the state after it. */
  #takePlain(byte: number, offset: number): number {
    switch (byte) {
      case quote:
        return this.#beginText(offset);
      case comma:
        this.#takeComma(offset);
        return plain;
      case colon:
        this.#awaitsKey[this.#depth] = 0;
        return plain;
      case openBrace:
      case openBracket:
        this.#countValue();
        this.#open(byte === openBrace ? inObject : inArray, offset);
        return plain;
      case closeBrace:
      case closeBracket:
        this.#close(byte === closeBrace ? inObject : inArray, offset);
        return plain;
      default:
        this.#countValue();
        return token;
    }
  }

  #beginText(offset: number): number {
    const depth = this.#depth;
    this.#length.begin();
    this.#isKey = this.#kinds[depth] === inObject && this.#awaitsKey[depth] === 1;
    if (this.#isKey) {
      this.#keyStarts[depth] = offset + 1;
      this.#isOddKey = false;
    } else this.#countValue();
    return text;
  }

  #endText(offset: number): void {
    if (this.#highDigits >= 0) this.#mend(this.#highDigits);
    this.#highDigits = -1;
    if (!this.#isKey) return;
    this.#keyEnds[this.#depth] = offset;
    this.#awaitsKey[this.#depth] = 0;
    if (this.#isOddKey) this.#compareKey(offset);
  }

  /** Finds keys that are equal when read: a parser would keep the last of them only. */
  #compareKey(end: number): void {
    const depth = this.#depth;
    const written = Buffer.concat([...this.#bytes.parts(this.#keyStarts[depth] ?? 0, end)]);
    const isSame = this.#mendedNames.add(depth, written);
    for (const digits of this.#halves) this.#bytes.patch(digits, replacement);
    this.#halves = [];
    if (!isSame) return;
    if (this.#list === null) this.sameName ??= this.#path(depth);
    else this.#batchSameName ??= this.#path(depth);
  }

  #takeComma(offset: number): void {
    const depth = this.#depth;
    if (this.#kinds[depth] === inObject) this.#awaitsKey[depth] = 1;
    this.#indexes[depth] = (this.#indexes[depth] ?? 0) + 1;
    if (this.#list === null || depth !== 2) return;
    this.#itemValues = 0;
    if (offset - this.#batchStart >= batchBytes || this.#batchValues >= batchValues) this.#cut(offset);
  }

  #open(kind: number, offset: number): void {
    const levels = this.#list === null ? maxLevels : (listLevels[this.#list.name] ?? maxLevels);
    if (this.#depth >= levels) {
      const message = `The request body is nested deeper than ${levels} levels.`;
      this.#fault ??= beyondBounds(message, this.#path(this.#depth));
      return;
    }
    const name = kind === inArray && this.#depth === 1 && this.#list === null ? this.#keyAt(1) : null;
    this.#depth += 1;
    const depth = this.#depth;
    this.#kinds[depth] = kind;
    this.#awaitsKey[depth] = kind === inObject ? 1 : 0;
    this.#indexes[depth] = 0;
    this.#mendedNames.begin(depth);
    // The object has no key yet.
    this.#keyEnds[depth] = -1;
    if (name === null || !Object.hasOwn(listLevels, name)) return;
    this.#list = { name, start: offset + 1, end: -1, cuts: [] };
    this.lists.push(this.#list);
    this.#itemValues = 0;
    this.#startBatch(offset + 1);
  }

  #close(kind: number, offset: number): void {
    if (this.#kinds[this.#depth] !== kind) {
      this.#fault ??= invalidJson();
      return;
    }
    if (this.#list !== null && this.#depth === 2) {
      this.#cut(offset);
      this.#list.end = offset;
      this.#list = null;
    }
    this.#depth -= 1;
  }

  #cut(offset: number): void {
    this.#list?.cuts.push({ at: offset, sameName: this.#batchSameName });
    this.#startBatch(offset + 1);
  }

  #startBatch(offset: number): void {
    this.#batchStart = offset;
    this.#batchValues = 0;
    this.#batchSameName = null;
  }

  #countValue(): void {
    const { maxBodyValues, maxItemValues } = this.#bounds;
    this.#values += 1;
    if (this.#values > maxBodyValues) {
      const message = `The request body holds more than ${maxBodyValues} JSON values (http.maxBodyValues).`;
      this.#fault ??= beyondBounds(message, this.#path(1));
    }
    const isOutside = this.#list === null;
    if (isOutside) this.#outsideValues += 1;
    else {
      this.#itemValues += 1;
      this.#batchValues += 1;
    }
    if ((isOutside ? this.#outsideValues : this.#itemValues) > maxItemValues) {
      const message = `One item of the request body, or all its other fields together, hold more than ${maxItemValues} JSON values (http.maxItemValues).`;
      this.#fault ??= beyondBounds(message, this.#path(isOutside ? 1 : 2));
    }
  }

  #takeDigit(byte: number, offset: number): number {
    const digit = hexValue(byte);
    // No JSON: the parser will refuse it. The byte may be the end of the text.
    if (digit < 0) return byte === quote ? plain : text;
    this.#unit = this.#unit * 16 + digit;
    this.#digitsLeft -= 1;
    if (this.#digitsLeft > 0) return unicode;
    this.#takeUnit(this.#unit, offset - 3);
    return text;
  }

  /** Takes a code unit that was written as `\u`, with the offset of its digits. */
  #takeUnit(unit: number, digits: number): void {
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    const hasPartner = this.#highDigits >= 0 && digits === this.#highDigits + 6;
    if (this.#highDigits >= 0 && !(isLow && hasPartner)) this.#mend(this.#highDigits);
    if (isLow && !hasPartner) this.#mend(digits);
    this.#highDigits = unit >= 0xd800 && unit <= 0xdbff ? digits : -1;
    if (unit === 0xfffd) this.#isOddKey = true;
  }

  #mend(digits: number): void {
    if (!this.#isKey) return this.#bytes.patch(digits, replacement);
    this.#isOddKey = true;
    this.#halves.push(digits);
  }

  /** Path of the current value, down to this level. */
  #path(levels: number): string {
    const steps: (string | number)[] = [];
    for (let depth = 1; depth <= Math.min(levels, this.#depth); depth += 1) {
      const step = this.#kinds[depth] === inArray ? (this.#indexes[depth] ?? 0) : this.#keyAt(depth);
      if (step !== null) steps.push(typeof step === "string" ? step.slice(0, maxNameChars) : step);
    }
    const path = formatPath(steps);
    return path.length > maxPathChars ? `${path.slice(0, maxPathChars)}…` : path;
  }

  #keyAt(depth: number): string | null {
    const start = this.#keyStarts[depth] ?? 0;
    const end = this.#keyEnds[depth] ?? -1;
    if (end < start) return null;
    // The beginning of a longer key is enough: no escape and no character takes more than 12 bytes.
    const raw = Buffer.concat([
      ...this.#bytes.parts(start, Math.min(end, start + 12 * maxNameChars)),
    ]).toString();
    // A key that was cut within an escape, or is no JSON, is only for a message.
    return unescapeName(raw)?.toWellFormed() ?? raw;
  }
}

function beyondBounds(message: string, path: string): CodexNativeApiError {
  return new CodexNativeApiError("invalid_request", message, { param: path === "" ? null : path });
}

export function invalidJson(cause?: unknown): CodexNativeApiError {
  return new CodexNativeApiError("invalid_json", "The request body is not valid JSON.", { cause });
}
