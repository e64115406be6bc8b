/**
 * The kinds of value an option can have. Each knows how to check a value (zod), how to read one from a flag or variable, and
 * how to say in words what is allowed: faults, help and documents all quote that sentence.
 */

import { z } from "zod";
import { limits } from "../../workers/contract/limits.js";

export interface OptionType<T> {
  readonly schema: z.ZodType<T>;
  /** Completes "it takes …". */
  readonly allowed: string;
  /** Stands for the value in the help text. */
  readonly placeholder: string;
  /** Whether a flag may be given more than once, each adding to the value. */
  readonly repeatable: boolean;
  /** Reads text; what cannot be read is returned as the text itself, for `schema` to refuse. */
  fromText(texts: readonly string[]): unknown;
  /** The value as text that `fromText` reads back. */
  toText(value: T): string;
  /** Any value, allowed or not, as it may be shown to people. */
  show(value: unknown): string;
  /** True for values that name a file or directory: `~/` and relative paths are resolved. */
  readonly isPath: boolean;
  /** For values with parts: every fault inside one, in place of one for the whole. */
  readonly explain?: (value: unknown) => readonly InnerFault[];
  /** `show` gives no secret away, also of an option that is one. */
  readonly isSafeToShow?: boolean;
}

export interface InnerFault {
  /** Where in the value, as it is written behind the key: `[0].name`. */
  readonly path: string;
  readonly problem: string;
}

const maxShownChars = 120;

function showJson(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > maxShownChars ? `${shown.slice(0, maxShownChars)}…` : shown;
}

const single = { repeatable: false, isPath: false, show: showJson } as const;

export function integer(min: number, max: number): OptionType<number> {
  return {
    ...single,
    schema: z.int().min(min).max(max),
    allowed: `an integer from ${min} to ${max}`,
    placeholder: "N",
    fromText: ([text = ""]) => (/^-?\d{1,16}$/.test(text) ? Number(text) : text),
    toText: String,
  };
}

/** A number, or one of these words in its place. */
export function integerOr<const W extends string>(
  words: readonly W[],
  min: number,
  max: number,
): OptionType<number | W> {
  const number = integer(min, max);
  return {
    ...single,
    schema: z.union([number.schema, z.literal(words)]),
    allowed: `${words.join(", ")} or ${number.allowed}`,
    placeholder: `${words.join("|")}|N`,
    fromText: (texts) => words.find((word) => word === texts[0]) ?? number.fromText(texts),
    toText: String,
  };
}

export function milliseconds(min: number): OptionType<number> {
  return { ...integer(min, limits.maxTimerMs), placeholder: "MS" };
}

export function bytes(min: number, max: number): OptionType<number> {
  return { ...integer(min, max), placeholder: "BYTES" };
}

export function choice<const V extends string>(values: readonly [V, ...V[]]): OptionType<V> {
  return {
    ...single,
    schema: z.enum(values),
    allowed: values.length === 2 ? values.join(" or ") : `one of ${values.join(", ")}`,
    placeholder: values.length <= 3 ? values.join("|") : "NAME",
    fromText: ([text]) => text,
    toText: String,
  };
}

/** `1` and `0` as text, true and false in the config file. */
export function yesOrNo(): OptionType<boolean> {
  const words = new Map<string, boolean>([
    ["1", true],
    ["true", true],
    ["0", false],
    ["false", false],
  ]);
  return {
    ...single,
    schema: z.boolean(),
    allowed: "1 or 0 (true or false in the config file)",
    placeholder: "1|0",
    fromText: ([text = ""]) => words.get(text.toLowerCase()) ?? text,
    toText: (value) => (value ? "1" : "0"),
  };
}

export interface TextRule {
  readonly allowed: string;
  readonly placeholder: string;
  readonly isAllowed: (text: string) => boolean;
}

export function text(rule: TextRule): OptionType<string> {
  return {
    ...single,
    schema: z.string().min(1).refine(rule.isAllowed),
    allowed: rule.allowed,
    placeholder: rule.placeholder,
    fromText: ([text]) => text,
    toText: String,
  };
}

export function path(allowed: string): OptionType<string> {
  const isAllowed = (value: string): boolean => value.trim() !== "" && !value.includes("\0");
  return { ...text({ allowed, placeholder: "PATH", isAllowed }), isPath: true };
}

/** Comma-separated as text, an array in the config file; the flag may be repeated. */
export function list(item: TextRule): OptionType<readonly string[]> {
  return {
    schema: z.array(z.string().refine(item.isAllowed)),
    allowed: item.allowed,
    placeholder: item.placeholder,
    repeatable: true,
    isPath: false,
    fromText: (texts) =>
      texts
        .flatMap((text) => text.split(","))
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    toText: (value) => value.join(","),
    show: showJson,
  };
}

/** `name=milliseconds` as text, separated by commas; an object in the config file. */
export function millisecondsByName(allowed: string): OptionType<Readonly<Record<string, number>>> {
  return {
    schema: z.record(z.string().regex(/^[^\s=,]{1,200}$/), z.int().min(1).max(limits.maxTimerMs)),
    allowed,
    placeholder: "NAME=MS,...",
    repeatable: true,
    isPath: false,
    fromText: (texts) => {
      const parts = texts.flatMap((text) => text.split(",")).filter((part) => part.trim() !== "");
      const pairs = parts.map(splitPair);
      if (!pairs.every((pair) => pair !== null)) return texts.join(",");
      return Object.fromEntries(
        pairs.map(([name, text]) => [name, /^\d{1,16}$/.test(text) ? Number(text) : text]),
      );
    },
    toText: (values) =>
      Object.entries(values)
        .map(([name, value]) => `${name}=${value}`)
        .join(","),
    show: showJson,
  };
}

/** `key=value` as text, an object in the config file; the flag may be repeated. */
export function keyValues(allowed: string): OptionType<Readonly<Record<string, string>>> {
  const key = z.string().regex(/^[^\s=]+$/);
  const value = z.union([z.string(), z.number(), z.boolean()]);
  return {
    schema: z.record(key, value).transform(textValues),
    allowed,
    placeholder: "KEY=VALUE",
    repeatable: true,
    isPath: false,
    fromText: (texts) => {
      const pairs = texts.map(splitPair);
      return pairs.every((pair) => pair !== null) ? Object.fromEntries(pairs) : texts.join(" ");
    },
    toText: (values) =>
      Object.entries(values)
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
    show: showKeys,
  };
}

function textValues(values: Record<string, string | number | boolean>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function splitPair(text: string): readonly [string, string] | null {
  const at = text.indexOf("=");
  return at < 1 ? null : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** Keys only: a value may be a provider's API key. */
function showKeys(value: unknown): string {
  if (typeof value !== "object" || value === null) return showJson(String(value).replace(/=.*$/s, "=…"));
  return showJson(Object.keys(value).map((key) => `${key}=…`));
}
