/**
 * What an option is: its names, and its type. A type knows how to check a value (zod), how to read one from a flag or variable,
 * and how to say in words what is allowed: faults, help and documents all quote that sentence.
 */
import { isAbsolute } from "node:path";
import { z } from "zod";
import { limits } from "../../workers/contract/limits.js";
import type { Environment, Machine } from "./machine.js";

/** `T` is what the service runs on, `G` what people give for it. */
export interface OptionType<T, G = T> {
  /** Checks what is given. */
  readonly schema: z.ZodType<G>;
  /** What is given as the service runs on it, with paths made absolute; null for what `schema` refuses. */
  toValue(given: G, toAbsolute: (path: string) => string): T | null;
  /** Completes "it takes …". */
  readonly allowed: string;
  /** Stands for the value in the help text. */
  readonly placeholder: string;
  readonly unit: "milliseconds" | "bytes" | null;
  /** Whether a flag may be given more than once, each adding to the value. */
  readonly repeatable: boolean;
  /** Reads text; what cannot be read is returned as the text itself, for `schema` to refuse. */
  fromText(texts: readonly string[]): unknown;
  /** What was given as text that `fromText` reads back. */
  toText(given: G): string;
  /** Any value, allowed or not, as it may be shown to people. */
  show(value: unknown): string;
  /** For values that name a file or directory, which shells can complete. */
  readonly isPath: boolean;
  /** For values of which a higher layer's only adds to the lower ones'. Highest first. */
  merge?(values: readonly T[]): T;
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

/** One row of the options table; everything about an option that is not code follows from it. `V` is its value in force. */
export interface OptionSpec<T = unknown, V = unknown, G = unknown> {
  /** Dotted path in the config file and in the configuration in force: where the option stands in the table. */
  readonly key: string;
  /** Environment variable; null where there is none. */
  readonly env: string | null;
  /** Flag without dashes; null where there is none, which for a secret keeps it out of the process list. */
  readonly flag: string | null;
  /** False for what only a flag or variable can say. */
  readonly inFile: boolean;
  readonly type: OptionType<T, G>;
  /** What is taken as given when nothing is; null where that depends on the machine or means "none". */
  readonly default: G | null;
  /** The default in words, for the help and the documents. */
  readonly defaultText: string;
  readonly description: string;
  /** Never shown: not in faults, not in the effective configuration, not in logs. */
  readonly secret: boolean;
  /** Whether a running service takes a new value; else it needs a restart. */
  readonly reloadable: boolean;
  /** The value in force when nothing is given. */
  readonly whenUnset: (machine: Machine, env: Environment) => V;
}

type OptionInput<T, G> = Pick<OptionSpec<T, unknown, G>, "env" | "type" | "description"> &
  Partial<Pick<OptionSpec, "flag" | "inFile" | "defaultText" | "secret" | "reloadable">> & {
    /** Left out: none, or what `fallback` says. */
    readonly default?: NoInfer<G>;
    /** The default where it depends on the machine; `defaultText` says how. */
    readonly fallback?: OptionSpec<T, T>["whenUnset"];
  };

/** Fills in what most rows share: the flag is the variable's name, the default's words are its value. */
export function defineOption<T, G>(
  input: OptionInput<T, G> &
    ({ readonly default: NoInfer<G> } | { readonly fallback: OptionSpec<T, T>["whenUnset"] }),
): OptionSpec<T, T, G>;
export function defineOption<T, G>(input: OptionInput<T, G>): OptionSpec<T, T | null, G>;
export function defineOption<T, G>({
  fallback,
  default: given,
  ...input
}: OptionInput<T, G>): OptionSpec<T, T | null, G> {
  const { env, type } = input;
  return {
    key: "",
    flag: env === null ? null : env.replace(envPrefix, "").toLowerCase().replaceAll("_", "-"),
    inFile: true,
    default: given ?? null,
    defaultText: (given === undefined ? "" : type.toText(given)) || "none",
    secret: false,
    reloadable: false,
    whenUnset: (machine, variables) =>
      given === undefined ? (fallback?.(machine, variables) ?? null) : type.toValue(given, (path) => path),
    ...input,
  };
}

/** Variables with this prefix are ours: an unknown one is a fault, not a no-op. */
export const envPrefix = "CODEX_NATIVE_API_";

const maxShownChars = 120;

function showJson(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > maxShownChars ? `${shown.slice(0, maxShownChars)}…` : shown;
}

/** What most types have in common. */
export const singleValue = {
  unit: null,
  repeatable: false,
  isPath: false,
  show: showJson,
  toValue: <T>(given: T): T => given,
} as const;

export function integer(min: number, max: number): OptionType<number> {
  return {
    ...singleValue,
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
    ...singleValue,
    schema: z.union([number.schema, z.literal(words)]),
    allowed: `${words.join(", ")} or ${number.allowed}`,
    placeholder: `${words.join("|")}|N`,
    fromText: (texts) => words.find((word) => word === texts[0]) ?? number.fromText(texts),
    toText: String,
  };
}

export function milliseconds(min: number): OptionType<number> {
  return { ...integer(min, limits.maxTimerMs), placeholder: "MS", unit: "milliseconds" };
}

export function bytes(min: number, max: number): OptionType<number> {
  return { ...integer(min, max), placeholder: "BYTES", unit: "bytes" };
}

export function choice<const V extends string>(values: readonly [V, ...V[]]): OptionType<V> {
  return {
    ...singleValue,
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
    ...singleValue,
    schema: z.boolean(),
    allowed: "1 or 0 (true or false in the config file)",
    placeholder: "1|0",
    fromText: ([text = ""]) => words.get(text.toLowerCase()) ?? text,
    toText: (value) => (value ? "1" : "0"),
  };
}

interface TextRule<T> {
  readonly allowed: string;
  readonly placeholder: string;
  /** The value that the service runs on; null refuses the text. */
  readonly parse: (text: string) => T | null;
}

export function text<T>(rule: TextRule<T>): OptionType<T, string> {
  return {
    ...singleValue,
    schema: z
      .string()
      .min(1)
      .refine((text) => rule.parse(text) !== null),
    toValue: rule.parse,
    allowed: rule.allowed,
    placeholder: rule.placeholder,
    fromText: ([text]) => text,
    toText: String,
  };
}

/** A path that is made absolute from where it is given: `~/` is the home directory. */
export function path(allowed: string): OptionType<string> {
  const parse = (value: string) => (value.trim() !== "" && !value.includes("\0") ? value : null);
  return {
    ...text({ allowed, placeholder: "PATH", parse }),
    isPath: true,
    toValue: (value, toAbsolute) => toAbsolute(value),
  };
}

/** A path, or the bare name of a command, which is looked up on PATH. */
export function pathOrCommand(allowed: string): OptionType<string> {
  const isCommandName = (value: string) =>
    !isAbsolute(value) && !/[/\\]/.test(value) && !value.startsWith("~");
  return {
    ...path(allowed),
    toValue: (value, toAbsolute) => (isCommandName(value) ? value : toAbsolute(value)),
  };
}

/** Comma-separated as text, an array in the config file; the flag may be repeated. */
export function list<T>(item: TextRule<T>): OptionType<readonly T[], readonly string[]> {
  return {
    ...singleValue,
    repeatable: true,
    schema: z.array(z.string().refine((text) => item.parse(text) !== null)),
    toValue: (given) => given.flatMap((text) => item.parse(text) ?? []),
    allowed: item.allowed,
    placeholder: item.placeholder,
    fromText: splitList,
    toText: (value) => value.join(","),
  };
}

function splitList(texts: readonly string[]): readonly string[] {
  const parts = texts.flatMap((text) => text.split(","));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** `name=milliseconds` as text, separated by commas; an object in the config file. */
export function millisecondsByName(allowed: string): OptionType<Readonly<Record<string, number>>> {
  return {
    ...singleValue,
    unit: "milliseconds",
    repeatable: true,
    schema: z.record(z.string().regex(/^[^\s=,]{1,200}$/), z.int().min(1).max(limits.maxTimerMs)),
    allowed,
    placeholder: "NAME=MS,...",
    fromText: (texts) => {
      const pairs = splitList(texts).map(splitPair);
      if (!pairs.every((pair) => pair !== null)) return texts.join(",");
      return Object.fromEntries(
        pairs.map(([name, text]) => [name, /^\d{1,16}$/.test(text) ? Number(text) : text]),
      );
    },
    toText: (values) => joinPairs(values, ","),
  };
}

/** `key=value` as text, an object in the config file; the flag may be repeated, and adds to the file's. */
export function keyValues(allowed: string): OptionType<Readonly<Record<string, string>>> {
  const key = z.string().regex(/^[^\s=]+$/);
  const value = z.union([z.string(), z.number(), z.boolean()]);
  return {
    ...singleValue,
    repeatable: true,
    schema: z.record(key, value).transform(textValues),
    allowed,
    placeholder: "KEY=VALUE",
    fromText: (texts) => {
      const pairs = texts.map(splitPair);
      return pairs.every((pair) => pair !== null) ? Object.fromEntries(pairs) : texts.join(" ");
    },
    toText: (values) => joinPairs(values, " "),
    show: showKeys,
    merge: (values) => Object.fromEntries(values.toReversed().flatMap((given) => Object.entries(given))),
  };
}

function joinPairs(values: Readonly<Record<string, string | number>>, separator: string): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  return pairs.join(separator);
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
