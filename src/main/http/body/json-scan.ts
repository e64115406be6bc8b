import { codexLevels } from "../../../workers/contract/json-depth.js";
import { attachmentKeys, maxTextChars } from "../../../workers/contract/long-text.js";
import { maxBodyLevels } from "../../dialects/requests/fields.js";
import { formatPath } from "../../dialects/requests/schema-fault.js";
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
  /** JSON values in a whole body: objects, lists, texts, numbers and so on, each for itself. */
  readonly maxBodyValues: number;
  /** JSON values in one item of `input` or `messages`, and in all the other fields together. */
  readonly maxItemValues: number;
}

/** Why a body is refused before it is parsed. */
export type ScanFault =
  | { readonly kind: "unbalanced" }
  | { readonly kind: "depth"; readonly levels: number; readonly path: string }
  | { readonly kind: "values" | "item_values" | "text"; readonly limit: number; readonly path: string };

/** A list whose elements are parsed a few at a time. */
export interface ScannedList {
  readonly name: string;
  /** Of the byte behind the opening bracket. */
  readonly start: number;
  /** Of the closing bracket; -1 while it has not come. */
  end: number;
  /** Commas between elements at which the list may be cut, and the end. */
  readonly cuts: ListCut[];
}

interface ListCut {
  readonly at: number;
  /** Path of the first key since the last cut that reads like another of its object once both are mended; null: none. */
  readonly sameName: string | null;
}

const maxLevels = maxBodyLevels;
/** An item of `input` lies one level deeper in the message to Codex than in a body. */
const listLevels: Readonly<Record<string, number>> = { input: codexLevels - 1, messages: maxLevels };

/** A list is cut after so many bytes or values, to be parsed in one go. */
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
 * Reads a JSON text byte by byte as it arrives. It counts values and levels, finds the places where long lists can be cut, and
 * puts U+FFFD in the place of half surrogate pairs (`\ud83d` alone, an emoji cut in two), which Codex never answers. Of names that
 * become the same by it, or since they are no UTF-8, it tells. What is no JSON it leaves to the parser, unless brackets do not match.
 */
export class JsonScan {
  readonly lists: ScannedList[] = [];
  /** Path of the first such key outside the lists, as in a cut. */
  sameName: string | null = null;
  readonly #bytes: BodyBytes;
  readonly #bounds: JsonBounds;
  #fault: ScanFault | null = null;
  #state = plain;
  #depth = 0;
  readonly #kinds = new Uint8Array(maxLevels + 1);
  /** By level: whether the next text of an object is a key, and where its last key began and ended. */
  readonly #awaitsKey = new Uint8Array(maxLevels + 1);
  readonly #keyStarts = new Float64Array(maxLevels + 1);
  readonly #keyEnds = new Float64Array(maxLevels + 1);
  /** By level: place in the list. */
  readonly #indexes = new Float64Array(maxLevels + 1);
  #isKey = false;
  /** Whether a key may be read as something else than it is: it has bytes beyond ASCII, half a pair, or U+FFFD. */
  #isOddKey = false;
  /** Where the digits of a key's half surrogate pairs are: patched once the key was compared. */
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
  /** Digits of a `\u` that are still to come, and their value so far. */
  #digitsLeft = 0;
  #unit = 0;
  /** Where the digits of a high surrogate are that has no partner yet; -1: none. */
  #highDigits = -1;

  constructor(bytes: BodyBytes, bounds: JsonBounds) {
    this.#bytes = bytes;
    this.#bounds = bounds;
  }

  /** The next bytes, which are part of `bytes` already. Returns why the body is refused, or null. */
  push(chunk: Uint8Array, from: number, to: number, offset: number): ScanFault | null {
    let state = this.#state;
    let textFrom = from;
    for (let at = from; at < to; at += 1) {
      let byte = chunk[at];
      if (state === text) {
        // Most bytes of most bodies pass here.
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
    this.#fault ??= { kind: "text", limit: maxTextChars, path: this.#path(this.#isKey ? depth - 1 : depth) };
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

  /** A parser would keep the last of two keys that read the same. */
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
      this.#fault ??= { kind: "depth", levels, path: this.#path(this.#depth) };
      return;
    }
    const name = kind === inArray && this.#depth === 1 && this.#list === null ? this.#listName() : null;
    this.#depth += 1;
    const depth = this.#depth;
    this.#kinds[depth] = kind;
    this.#awaitsKey[depth] = kind === inObject ? 1 : 0;
    this.#indexes[depth] = 0;
    this.#mendedNames.begin(depth);
    // Until the first key has come it has none.
    this.#keyEnds[depth] = -1;
    if (name === null) return;
    this.#list = { name, start: offset + 1, end: -1, cuts: [] };
    this.lists.push(this.#list);
    this.#itemValues = 0;
    this.#startBatch(offset + 1);
  }

  #close(kind: number, offset: number): void {
    if (this.#kinds[this.#depth] !== kind) {
      this.#fault ??= { kind: "unbalanced" };
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
      this.#fault ??= { kind: "values", limit: maxBodyValues, path: this.#path(1) };
    }
    const isOutside = this.#list === null;
    if (isOutside) this.#outsideValues += 1;
    else {
      this.#itemValues += 1;
      this.#batchValues += 1;
    }
    if ((isOutside ? this.#outsideValues : this.#itemValues) > maxItemValues) {
      this.#fault ??= { kind: "item_values", limit: maxItemValues, path: this.#path(isOutside ? 1 : 2) };
    }
  }

  #takeDigit(byte: number, offset: number): number {
    const digit = hexValue(byte);
    // No JSON: for the parser to say. It may be the end of the text.
    if (digit < 0) return byte === quote ? plain : text;
    this.#unit = this.#unit * 16 + digit;
    this.#digitsLeft -= 1;
    if (this.#digitsLeft > 0) return unicode;
    this.#takeUnit(this.#unit, offset - 3);
    return text;
  }

  /** A code unit that was written as `\u`, with the place of its digits. */
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

  #listName(): string | null {
    const name = this.#keyAt(1);
    return name !== null && Object.hasOwn(listLevels, name) ? name : null;
  }

  /** Path of what is read now, as far as this level. */
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
    // Of a longer one the beginning is enough: no escape and no character takes more than 12 bytes.
    const raw = Buffer.concat([
      ...this.#bytes.parts(start, Math.min(end, start + 12 * maxNameChars)),
    ]).toString();
    // Cut within an escape, or no JSON at all: then it is only shown.
    return unescapeName(raw)?.toWellFormed() ?? raw;
  }
}
