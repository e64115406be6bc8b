/** A command. Help, completion, suggestions and docs/cli.md are all made from the table of commands in `commands.ts`. */
import type { ConfigResult } from "../config/load-config.js";
import type { OptionSpec } from "../config/option.js";
import type { CliContext } from "./cli-context.js";
import type { ExitName } from "./exit-codes.js";

export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for the value in the help; null for a flag without a value. */
  readonly placeholder: string | null;
  readonly description: string;
}

/** A word behind the command's name that chooses its action. */
export interface CommandChoice {
  readonly name: string;
  readonly description: string;
}

interface Operands {
  /** As shown behind the command's name, such as `[TEXT|-]`. */
  readonly shown: string;
  readonly max: number;
  /** Null: any text. */
  readonly choices: readonly CommandChoice[] | null;
}

export interface CommandInput {
  /** Value by flag name; true for a flag without a value. */
  readonly flags: ReadonlyMap<string, string | true>;
  readonly operands: readonly string[];
  /** The flags of the configuration, for `loadConfig`. */
  readonly configArgv: readonly string[];
  /** The table, for commands that are about commands. */
  readonly commands: readonly Command[];
}

export type LoadedConfig = Extract<ConfigResult, { readonly ok: true }>;

export type Command = PlainCommand | ConfiguredCommand;

/** A command that reads no configuration. */
export interface PlainCommand extends CommandText {
  readonly options: null;
  run(context: CliContext, input: CommandInput): number;
}

/** A command that gets the configuration in force, once it has no faults. */
export interface ConfiguredCommand extends CommandText {
  /** The options in its help; it accepts all others too. */
  readonly options: readonly OptionSpec[];
  run(context: CliContext, input: CommandInput, loaded: LoadedConfig): Promise<number> | number;
}

interface CommandText {
  readonly name: string;
  /** One line of the overview. */
  readonly summary: string;
  /** Paragraphs of the command's own help. */
  readonly details: readonly string[];
  readonly flags: readonly CommandFlag[];
  /** Null: none. */
  readonly operands: Operands | null;
  /** Behind the program's name. */
  readonly examples: readonly string[];
  readonly exits: readonly ExitName[];
}

/** The model of a command that asks one. */
export const modelFlag: CommandFlag = {
  name: "model",
  placeholder: "MODEL",
  description: "A model of `codex-native-api models`.",
};

/** The effort of a command that asks a model. */
export const effortFlag: CommandFlag = {
  name: "effort",
  placeholder: "EFFORT",
  description: "Reasoning effort, such as low, medium or high.",
};

/** Of a command that shows how long its question takes. */
export const quietFlag: CommandFlag = {
  name: "quiet",
  placeholder: null,
  description: "Show no progress on the terminal.",
};

export const jsonFlag = (description: string): CommandFlag => ({
  name: "json",
  placeholder: null,
  description,
});

/** The value of a flag; null where it is not given. */
export function textOf(input: CommandInput, name: string): string | null {
  const value = input.flags.get(name);
  return typeof value === "string" ? value : null;
}

/** The value of a flag that takes an integer; null where it is not one in that range. */
export function integerOf(
  input: CommandInput,
  name: string,
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
): number | null {
  const text = textOf(input, name);
  if (text === null) return fallback;
  const value = /^\d{1,8}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? value : null;
}
