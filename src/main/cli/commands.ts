/** The table of commands, which help, completion and suggestions use, and the commands that only print. */

import { bridgePage, replacedCommands } from "../config/bridge-words.js";
import { formatFault } from "../config/faults.js";
import { describeConfig, type SettingDescription } from "../config/inspect-config.js";
import { options } from "../config/options.js";
import { suggestName } from "../config/suggest-name.js";
import { type Command, type ConfiguredCommand, jsonFlag, type PlainCommand } from "./command.js";
import { askCommand, decideCommand } from "./commands/ask.js";
import { demoCommand } from "./commands/demo.js";
import { doctorCommand } from "./commands/doctor.js";
import { healthCommand } from "./commands/health.js";
import { loginCommand } from "./commands/login.js";
import { modelsCommand } from "./commands/models.js";
import { openCommand } from "./commands/open.js";
import { serviceCommand } from "./commands/service.js";
import { renderCompletion, shells } from "./completion-scripts.js";
import { renderCommandHelp, renderOverview } from "./help.js";
import { CommandRefusal, note, print, printJson } from "./outcome.js";
import { serveCommand } from "./serve.js";

const configCommand: ConfiguredCommand = {
  name: "config",
  summary: "print the configuration in force and where each value came from",
  details: [
    "Reads and checks the configuration of `serve`, and starts nothing. Shows no secret, only that it is set. " +
      "Standard error names the variables without effect.",
  ],
  flags: [jsonFlag("An array of {key, value, layer, source}, for programs.")],
  operands: null,
  options: [options.config],
  examples: ["config", "config --json"],
  exits: ["done", "configuration"],
  run: (context, input, { config, origins, warnings }) => {
    for (const warning of warnings) note(context, formatFault(warning));
    const rows = describeConfig(config, origins);
    return input.flags.has("json")
      ? printJson(context, rows.map(toJson))
      : print(context, rows.map(renderLine).join(""));
  },
};

function renderLine({ key, value, origin }: SettingDescription): string {
  return `${key} = ${value}  (${origin.layer === "default" ? "default" : origin.name})\n`;
}

function toJson({ key, value, origin }: SettingDescription) {
  const source = origin.layer === "default" ? null : origin.name;
  return { key, value: parseShown(value), layer: origin.layer, source };
}

/** A masked value is text; every other one is JSON. */
function parseShown(shown: string): unknown {
  try {
    return JSON.parse(shown);
  } catch {
    return shown;
  }
}

const choices = shells.map((name) => ({ name, description: `for ${name}` }));

const completionCommand: PlainCommand = {
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
  run: (context, { operands, commands }) => {
    const shell = shells.find((name) => name === operands[0]) ?? "bash";
    return print(context, renderCompletion(shell, commands));
  },
};

const helpCommand: PlainCommand = {
  name: "help",
  summary: "show what a command does, and its flags",
  details: [],
  flags: [],
  operands: { shown: "[COMMAND]", max: 1, choices: null },
  options: null,
  examples: ["help ask"],
  exits: ["done", "configuration"],
  run: (context, { operands, commands }) => {
    const [name] = operands;
    if (name === undefined) return print(context, renderOverview(commands));
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined) throw refusalOfCommand(name, commands);
    return print(context, renderCommandHelp(command));
  },
};

/** The refusal of an unknown command, with the one that was probably meant. */
export function refusalOfCommand(name: string, commands: readonly Command[]): CommandRefusal {
  const names = commands.map((command) => command.name);
  const replacement = replacedCommands.get(name);
  if (replacement !== undefined)
    return new CommandRefusal(`there is no command ${JSON.stringify(name)}; ${replacement} (${bridgePage})`);
  const suggestion = suggestName(name, names);
  const hint = suggestion === null ? `the commands are ${names.join(", ")}` : `did you mean ${suggestion}?`;
  return new CommandRefusal(`there is no command ${JSON.stringify(name)}; ${hint}`);
}

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  serveCommand,
  demoCommand,
  doctorCommand,
  loginCommand,
  askCommand,
  decideCommand,
  healthCommand,
  modelsCommand,
  openCommand,
  serviceCommand,
  configCommand,
  completionCommand,
  helpCommand,
];
