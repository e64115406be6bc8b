import type { OptionType } from "./option-types.js";

/** One row of the options table; everything about an option that is not code follows from it. */
export interface OptionSpec<T = unknown, D = unknown> {
  /** Dotted path in the config file, and the option's name in code. */
  readonly key: string;
  /** Environment variable; null where there is none. */
  readonly env: string | null;
  /** Flag without dashes; null where there is none, which for a secret keeps it out of the process list. */
  readonly flag: string | null;
  /** False for what only a flag or variable can say. */
  readonly inFile: boolean;
  readonly type: OptionType<T>;
  /** Value when nothing gives one; null where it depends on the machine or means "none". */
  readonly default: D;
  /** The default in words, for the help and the documents. */
  readonly defaultText: string;
  readonly unit: "milliseconds" | "bytes" | null;
  readonly description: string;
  /** Never shown: not in faults, not in the effective configuration, not in logs. */
  readonly secret: boolean;
  /** Whether a running service takes a new value; else it needs a restart. */
  readonly reloadable: boolean;
}

type OptionInput<T, D> = Pick<OptionSpec<T, D>, "key" | "env" | "type" | "default" | "description"> &
  Partial<Pick<OptionSpec<T, D>, "flag" | "inFile" | "defaultText" | "unit" | "secret" | "reloadable">>;

/** Fills in what most rows share: the flag is the variable's name, the default's words are its value. */
export function defineOption<T, const D extends T | null>(input: OptionInput<T, D>): OptionSpec<T, D> {
  return {
    flag: input.env === null ? null : input.env.replace(envPrefix, "").toLowerCase().replaceAll("_", "-"),
    inFile: true,
    defaultText: input.default === null ? "none" : input.type.toText(input.default),
    unit: null,
    secret: false,
    reloadable: false,
    ...input,
  };
}

/** Variables with this prefix are ours: an unknown one is a fault, not a no-op. */
export const envPrefix = "CODEX_NATIVE_API_";
