/**
 * An option: its names and its type. A type checks a value (zod), reads one from a flag or variable, and describes the values
 * allowed: faults, help and documents all quote that sentence.
 */
import { delimiter, isAbsolute } from "node:path";
import { z } from "zod";
import { limits } from "../../workers/contract/limits.js";
import { readYesOrNo, yesOrNoWords } from "./environment.js";
import type { Environment, Machine } from "./machine.js";

/** `T` is the value that the service runs on, `G` the value that people give for it. */
export interface OptionType<T, G = T> {
  /** Checks a value given. */
  readonly schema: z.ZodType<G>;
  /** The value that the service runs on, with absolute paths; null where `schema` refuses the given one. */
  toValue(given: G, toAbsolute: (path: string) => string): T | null;
  /** Completes "it takes …". */
  readonly allowed: string;
  /** Stands for the value in the help text. */
  readonly placeholder: string;
  readonly unit: "milliseconds" | "bytes" | null;
  /** Whether the flag may be given more than once; each adds to the value. */
  readonly repeatable: boolean;
  /** Reads text. Returns text that it cannot read as it is, for `schema` to refuse. */
  fromText(texts: readonly string[]): unknown;
  /** A value given, as text that `fromText` reads back. */
  toText(given: G): string;
  /** Any value, allowed or not, in a form that people may see. */
  show(value: unknown): string;
  /** For values that name a file or directory, which shells can complete. */
  readonly isPath: boolean;
  /** For types where a higher layer adds to the lower ones instead of replacing them. Highest first. */
  merge?(values: readonly T[]): T;
  /** For values with parts: every fault inside, in place of one fault for the whole. */
  readonly explain?: (value: unknown) => readonly InnerFault[];
  /** `show` reveals no secret, even for an option that is secret. */
  readonly isSafeToShow?: boolean;
}

export interface InnerFault {
  /** The place in the value, written as behind the key: `[0].name`. */
  readonly path: string;
  readonly problem: string;
}

/** One row of the options table. Flags, variables, help and documents all follow from it. `V` is the value in force. */
export interface OptionSpec<T = unknown, V = unknown, G = unknown> {
  /** Dotted path in the config file and in the configuration in force, from the option's place in the table. */
  readonly key: string;
  /** Environment variable; null where there is none. */
  readonly env: string | null;
  /** Flag without dashes; null where there is none, which for a secret keeps it out of the process list. */
  readonly flag: string | null;
  /** False for an option that only a flag or variable can set. */
  readonly inFile: boolean;
  readonly type: OptionType<T, G>;
  /** Stands for a value given when there is none; null where the default depends on the machine or means "none". */
  readonly default: G | null;
  /** The default in words, for the help and the documents. */
  readonly defaultText: string;
  readonly description: string;
  /** Never shown in faults, in the effective configuration or in logs. */
  readonly secret: boolean;
  /** Whether a running service takes a new value; otherwise it needs a restart. */
  readonly reloadable: boolean;
  /** The value in force when none is given. */
  readonly whenUnset: (machine: Machine, env: Environment) => V;
}

/** The values in force of a group of options. */
export type Values<Group> = {
  readonly [K in keyof Group]: Group[K] extends OptionSpec<infer _T, infer V> ? V : never;
};

type OptionInput<T, G> = Pick<OptionSpec<T, unknown, G>, "type" | "description"> &
  Partial<Pick<OptionSpec, "env" | "flag" | "inFile" | "defaultText" | "secret" | "reloadable">> & {
    /** Left out: none, or that of `fallback`. */
    readonly default?: NoInfer<G>;
    /** The default where it depends on the machine; `defaultText` describes it. */
    readonly fallback?: OptionSpec<T, T>["whenUnset"];
  };

/** Fills in what most rows share: names follow from the option's place, and the default is described by its value. */
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
  const { type } = input;
  return {
    key: byName,
    env: byName,
    flag: input.env === null ? null : byName,
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

/** Stands for a name that follows from the option's place in the table, until `nameOptions` knows that place. */
const byName = "";

/**
 * Names the options of a group. `maxQueue` is set by `CODEX_NATIVE_API_MAX_QUEUE`, unless its row names another variable, and by the
 * flag of the variable's name without the prefix.
 */
export function nameOptions<G extends Readonly<Record<string, OptionNames>>>(prefix: string, group: G): G {
  for (const [name, option] of Object.entries(group)) {
    option.key = `${prefix}${name}`;
    if (option.env === byName) option.env = `${envPrefix}${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
    if (option.flag === byName)
      option.flag = option.env?.replace(envPrefix, "").toLowerCase().replaceAll("_", "-") ?? null;
  }
  return group;
}

type OptionNames = { -readonly [K in "key" | "env" | "flag"]: OptionSpec[K] };

/** Variables with this prefix belong to the service, so that an unknown one is a fault. */
export const envPrefix = "CODEX_NATIVE_API_";

const maxShownChars = 120;

function showJson(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > maxShownChars ? `${shown.slice(0, maxShownChars)}…` : shown;
}

/** What most types share: one value, whose text is the value itself. */
export const singleValue = {
  unit: null,
  repeatable: false,
  isPath: false,
  show: showJson,
  fromText: ([text]: readonly string[]): unknown => text,
  toText: String,
  toValue: <T>(given: T): T => given,
} as const;

export function integer(min: number, max: number): OptionType<number> {
  return {
    ...singleValue,
    schema: z.int().min(min).max(max),
    allowed: `an integer from ${min} to ${max}`,
    placeholder: "N",
    fromText: ([text = ""]) => (/^-?\d{1,16}$/.test(text) ? Number(text) : text),
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
    fromText: number.fromText,
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
  };
}

/** `1` or `0`, or other words for them, as text; true or false in the config file. */
export function yesOrNo(): OptionType<boolean> {
  return {
    ...singleValue,
    schema: z.boolean(),
    allowed: `${yesOrNoWords} (true or false in the config file)`,
    placeholder: "1|0",
    fromText: ([text = ""]) => readYesOrNo(text) ?? text,
    toText: (value) => (value ? "1" : "0"),
  };
}

interface TextRule<T> {
  readonly allowed: string;
  readonly placeholder: string;
  /** The value that the service runs on; null where it refuses the text. */
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
  };
}

/** A path. Relative ones start from the layer's base directory; `~/` is the home directory. */
export function path(allowed: string): OptionType<string> {
  const parse = (value: string) => (value.trim() !== "" && !value.includes("\0") ? value : null);
  return {
    ...text({ allowed, placeholder: "PATH", parse }),
    isPath: true,
    toValue: (value, toAbsolute) => toAbsolute(value),
  };
}

/** A path, or the bare name of a command on PATH. */
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

/**
 * Folders by absolute path or below `~`, the home directory: an array in the config file, and as text a list with commas, or with the
 * separator of PATH.
 */
export function folders(item: TextRule<string>): OptionType<readonly string[]> {
  return {
    ...list(item),
    isPath: true,
    toValue: (given, toAbsolute) => given.map(toAbsolute),
    fromText: (texts) => splitList(texts.flatMap((text) => text.split(delimiter))),
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
    fromText: (texts) =>
      readPairs(splitList(texts), (text) => (/^\d{1,16}$/.test(text) ? Number(text) : text)) ??
      texts.join(","),
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
    schema: z.record(key, value.transform(String)),
    allowed,
    placeholder: "KEY=VALUE",
    fromText: (texts) => readPairs(texts, (text) => text) ?? texts.join(" "),
    toText: (values) => joinPairs(values, " "),
    show: showKeys,
    merge: (values) => Object.fromEntries(values.toReversed().flatMap((given) => Object.entries(given))),
  };
}

function joinPairs(values: Readonly<Record<string, string | number>>, separator: string): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  return pairs.join(separator);
}

/** Null where one of the texts is not `name=value`. */
function readPairs(
  texts: readonly string[],
  readValue: (text: string) => unknown,
): Readonly<Record<string, unknown>> | null {
  if (texts.some((text) => text.indexOf("=") < 1)) return null;
  const pairs = texts.map((text) => {
    const at = text.indexOf("=");
    return [text.slice(0, at).trim(), readValue(text.slice(at + 1).trim())];
  });
  return Object.fromEntries(pairs);
}

/** Shows only keys: a value may be a provider's API key. */
function showKeys(value: unknown): string {
  if (typeof value !== "object" || value === null) return showJson(String(value).replace(/=.*$/s, "=…"));
  return showJson(Object.keys(value).map((key) => `${key}=…`));
}
