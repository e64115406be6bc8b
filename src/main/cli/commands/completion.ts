import type { Command } from "../command.js";
import { renderCompletion, shells } from "../completion-scripts.js";
import { print } from "../configured.js";

const choices = shells.map((name) => ({ name, description: `for ${name}` }));

export const completionCommand: Command = {
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
