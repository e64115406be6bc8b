/** What a command is. The table of them in `commands.ts` is all that help, completion, suggestions and docs/cli.md know. */
import type { OptionSpec } from "../config/option.js";
import type { CliContext } from "./cli-context.js";
import type { ExitName } from "./exit-codes.js";

export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** Stands for the value in the help; null where the flag takes none. */
  readonly placeholder: string | null;
  readonly description: string;
}

/** A word behind the command's name that chooses what it does. */
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
  /** Value by flag name; true where the flag takes none. */
  readonly flags: ReadonlyMap<string, string | true>;
  readonly operands: readonly string[];
  /** What is left for `loadConfig`. */
  readonly configArgv: readonly string[];
  /** The table, for commands that are about commands. */
  readonly commands: readonly Command[];
}

export interface Command {
  readonly name: string;
  /** One line of the overview. */
  readonly summary: string;
  /** Paragraphs of the command's own help. */
  readonly details: readonly string[];
  readonly flags: readonly CommandFlag[];
  /** Null: none. */
  readonly operands: Operands | null;
  /** Configuration options that its help lists; it takes the others too. Null: it reads no configuration. */
  readonly options: readonly OptionSpec[] | null;
  /** Behind the program's name. */
  readonly examples: readonly string[];
  readonly exits: readonly ExitName[];
  run(context: CliContext, input: CommandInput): Promise<number>;
}

export const jsonFlag = (description: string): CommandFlag => ({
  name: "json",
  placeholder: null,
  description,
});

/** The value of a flag that takes one. */
export function textOf(input: CommandInput, name: string): string | null {
  const value = input.flags.get(name);
  return typeof value === "string" ? value : null;
}
