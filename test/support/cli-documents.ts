/** Renders docs/cli.md from the table of commands. */
import type { Command } from "../../src/main/cli/command.js";
import { commands } from "../../src/main/cli/commands.js";
import { exitCodes, exitMeanings, exitNames } from "../../src/main/cli/exit-codes.js";
import { programName, renderUsage } from "../../src/main/cli/help.js";
import { wrapWords } from "../../src/main/cli/terminal.js";
import { allOptions } from "../../src/main/config/options.js";
import { replaceGenerated } from "./generated-part.js";

export const cliPagePath = "docs/cli.md";

const pageWidth = 130;

export function renderCliPage(page: string): string {
  return replaceGenerated(page, [renderExitCodes(), ...commands.map(renderCommand)].join("\n"));
}

function renderExitCodes(): string {
  const rows = exitNames.map((name) => `| ${exitCodes[name]} | ${exitMeanings[name]} |`);
  return ["## Exit codes", "", "| code | meaning |", "| --- | --- |", ...rows, ""].join("\n");
}

function renderCommand(command: Command): string {
  const { name, summary, details, flags, operands, examples, exits } = command;
  const choices = operands?.choices ?? [];
  return [
    `## ${name}`,
    "",
    `\`${renderUsage(command)}\`: ${summary}.`,
    "",
    ...details.flatMap((text) => [...wrapWords(text, pageWidth), ""]),
    ...renderTable(
      ["what", "meaning"],
      choices.map((choice) => [`\`${choice.name}\``, choice.description]),
    ),
    ...renderTable(
      ["flag", "meaning"],
      flags.map((flag) => [
        `\`--${flag.name}${flag.placeholder === null ? "" : ` ${flag.placeholder}`}\``,
        flag.description,
      ]),
    ),
    ...renderOptions(command),
    ...(examples.length === 0
      ? []
      : ["```sh", ...examples.map((example) => `${programName} ${example}`), "```", ""]),
    `Exit codes: ${exits.map((exit) => exitCodes[exit]).join(", ")}.`,
    "",
  ].join("\n");
}

function renderOptions({ options }: Command): readonly string[] {
  if (options === null) return [];
  if (options.length === allOptions.length)
    return ["Takes every flag of [configuration.md](configuration.md).", ""];
  const flags = options.flatMap(({ flag }) => (flag === null ? [] : `\`--${flag}\``));
  return [`Configuration: ${flags.join(", ")}, and every other flag of \`serve\`.`, ""];
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const lines = [head, head.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return [...lines, ""];
}
