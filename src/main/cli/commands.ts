/** Every command: the table that help, completion and suggestions know, and the commands that only print. */

import { suggestName } from "../config/faults.js";
import { describeConfig, type SettingDescription } from "../config/inspect-config.js";
import { options } from "../config/options.js";
import type { CliContext } from "./cli-context.js";
import { type Command, jsonFlag } from "./command.js";
import { askCommand } from "./commands/ask.js";
import { doctorCommand } from "./commands/doctor.js";
import { healthCommand } from "./commands/health.js";
import { loginCommand } from "./commands/login.js";
import { modelsCommand } from "./commands/models.js";
import { serviceCommand } from "./commands/service.js";
import { renderCompletion, shells } from "./completion-scripts.js";
import { print, refuse, withConfig } from "./configured.js";
import { programName, renderCommandHelp, renderOverview } from "./help.js";
import { serveCommand } from "./serve.js";

const configCommand: Command = {
  name: "config",
  summary: "print the configuration in force and where each value came from",
  details: [
    "Reads what `serve` would read, checks it, and starts nothing. Secrets only say that they are set.",
  ],
  flags: [jsonFlag("An array of {key, value, layer, source}, for programs.")],
  operands: null,
  options: [options.config],
  examples: ["config", "config --json"],
  exits: ["done", "configuration"],
  run: (context, input) =>
    withConfig(context, input, ({ config, origins }) => {
      const rows = describeConfig(config, origins);
      if (!input.flags.has("json")) return print(context, rows.map(renderLine).join(""));
      return print(context, `${JSON.stringify(rows.map(toJson), null, 2)}\n`);
    }),
};

function renderLine({ key, value, origin }: SettingDescription): string {
  return `${key} = ${value}  (${origin.layer === "default" ? "default" : origin.name})\n`;
}

function toJson({ key, value, origin }: SettingDescription) {
  const source = origin.layer === "default" ? null : origin.name;
  return { key, value: parseShown(value), layer: origin.layer, source };
}

/** A masked value is shown in words; every other one as JSON. */
function parseShown(shown: string): unknown {
  try {
    return JSON.parse(shown);
  } catch {
    return shown;
  }
}

const choices = shells.map((name) => ({ name, description: `for ${name}` }));

const completionCommand: Command = {
  name: "completion",
  summary: "print a completion script for bash, zsh or fish",
  details: [
    "bash: `source <(codex-native-api completion bash)` in ~/.bashrc. zsh: the same in ~/.zshrc, behind compinit. " +
      "fish: `codex-native-api completion fish > ~/.config/fish/completions/codex-native-api.fish`.",
  ],
  flags: [],
  operands: { shown: shells.join("|"), max: 1, choices },
  options: null,
  examples: ["completion bash"],
  exits: ["done", "configuration"],
  run: async (context, { operands, commands }) => {
    const shell = shells.find((name) => name === operands[0]) ?? "bash";
    return print(context, renderCompletion(shell, commands));
  },
};

const helpCommand: Command = {
  name: "help",
  summary: "say what a command does and takes",
  details: [],
  flags: [],
  operands: { shown: "[COMMAND]", max: 1, choices: null },
  options: null,
  examples: ["help ask"],
  exits: ["done", "configuration"],
  run: async (context, { operands, commands }) => {
    const [name] = operands;
    if (name === undefined) return print(context, renderOverview(commands));
    const command = commands.find((candidate) => candidate.name === name);
    return command === undefined
      ? refuseCommand(context, name, commands)
      : print(context, renderCommandHelp(command));
  },
};

/** There is no such command: says which was probably meant. */
export function refuseCommand(context: CliContext, name: string, commands: readonly Command[]): number {
  if (name.startsWith("-")) return refuse(context, `name a command first, such as: ${programName} serve`);
  const names = commands.map((command) => command.name);
  const suggestion = suggestName(name, names);
  const hint = suggestion === null ? `the commands are ${names.join(", ")}` : `did you mean ${suggestion}?`;
  return refuse(context, `there is no command ${JSON.stringify(name)}; ${hint}`);
}

/** Every command, in the order they are shown. */
export const commands: readonly Command[] = [
  serveCommand,
  doctorCommand,
  loginCommand,
  askCommand,
  healthCommand,
  modelsCommand,
  serviceCommand,
  configCommand,
  completionCommand,
  helpCommand,
];
