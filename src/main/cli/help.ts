/** The help texts, made from the table of commands and the options table. */
import type { OptionSpec } from "../config/option.js";
import { allOptions, optionGroups } from "../config/options.js";
import type { Command, CommandFlag } from "./command.js";
import { type ExitName, exitCodes, exitMeanings, exitNames } from "./exit-codes.js";
import { renderEntry, wrapWords } from "./terminal.js";

export const programName = "codex-native-api";

const width = 100;
const commandColumn = 14;
const optionColumn = 34;

/** The text of `--help` without a command. */
export function renderOverview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => renderEntry(`  ${name}`, summary, commandColumn, width));
  return joinBlocks([
    [`${programName}: the logged-in Codex on this machine as an OpenAI-compatible API on localhost`],
    [
      "Usage",
      `  ${programName} COMMAND [options]`,
      `  ${programName} OPTIONS (the same as ${programName} serve OPTIONS)`,
    ],
    ["Commands", ...rows],
    [`${programName} COMMAND --help shows what the command does, and its flags.`],
    ["First steps", ...["doctor", "login", "serve", 'ask "Hello"'].map((step) => `  ${programName} ${step}`)],
    ["Exit codes", ...renderExits(exitNames)],
  ]);
}

/** The text of `--help` for one command. */
export function renderCommandHelp(command: Command): string {
  return joinBlocks([
    [`${programName} ${command.name}: ${command.summary}`],
    ["Usage", `  ${renderUsage(command)}`],
    ...command.details.map((text) => wrapWords(text, width)),
    renderChoices(command),
    command.flags.length === 0 ? [] : ["Flags", ...command.flags.map(renderFlag)],
    ...renderOptions(command.options),
    command.examples.length === 0
      ? []
      : ["Examples", ...command.examples.map((example) => `  ${programName} ${example}`)],
    ["Exit codes", ...renderExits(command.exits)],
  ]);
}

export function renderUsage(command: Command): string {
  const operands = command.operands === null ? "" : ` ${command.operands.shown}`;
  const options = command.flags.length > 0 || command.options !== null ? " [options]" : "";
  return `${programName} ${command.name}${operands}${options}`;
}

function renderChoices({ operands }: Command): readonly string[] {
  const rows = operands?.choices?.map(({ name, description }) =>
    renderEntry(`  ${name}`, description, commandColumn, width),
  );
  return rows ?? [];
}

function renderFlag({ name, placeholder, description }: CommandFlag): string {
  const head = placeholder === null ? `  --${name}` : `  --${name} ${placeholder}`;
  return renderEntry(head, description, optionColumn, width);
}

/** All options in their groups, or the few that matter to the command. */
function renderOptions(options: readonly OptionSpec[] | null): readonly (readonly string[])[] {
  if (options === null) return [];
  const order =
    "Flags win over environment variables, these over the config file, and that over the defaults.";
  if (options.length === allOptions.length) {
    const groups = optionGroups.map((group) => [
      group.title,
      ...group.options.filter(isOnCommandLine).map(renderOption),
    ]);
    return [[order], ...groups];
  }
  const rest = `It accepts the other options of \`${programName} serve\` too.`;
  return [["Configuration", ...options.map(renderOption)], wrapWords(`${order} ${rest}`, width)];
}

/** The documents describe options that only the config file can set. */
function isOnCommandLine(spec: OptionSpec): boolean {
  return spec.flag !== null || spec.env !== null;
}

function renderOption(spec: OptionSpec): string {
  const name = spec.flag === null ? `${spec.env}` : `--${spec.flag} ${spec.type.placeholder}`;
  const variable = spec.flag === null || spec.env === null ? "" : `[${spec.env}]`;
  const sentence = `${spec.description} Default: ${spec.defaultText}. ${variable}`;
  return renderEntry(`  ${name}`, sentence, optionColumn, width);
}

function renderExits(names: readonly ExitName[]): readonly string[] {
  return names.map((name) =>
    renderEntry(`  ${String(exitCodes[name]).padStart(3)}`, exitMeanings[name], 7, width),
  );
}

function joinBlocks(blocks: readonly (readonly string[])[]): string {
  const filled = blocks.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
