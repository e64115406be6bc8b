import type { Command } from "../command.js";
import { print } from "../configured.js";
import { renderCommandHelp, renderOverview } from "../help.js";
import { refuseCommand } from "../refuse-command.js";

export const helpCommand: Command = {
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
