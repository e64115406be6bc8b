import { options } from "../../config/options.js";
import type { Command } from "../command.js";
import { withConfig } from "../configured.js";

export const askCommand: Command = {
  name: "ask",
  summary: "ask one question and print the answer as it comes",
  details: [
    "Without TEXT, or with -, the question is read from standard input. Only the answer goes to standard output.",
    "Uses the running service if one answers at the configured address; else it starts Codex for this one question, which " +
      "takes a second or two, and stops it again. Ctrl-C interrupts the turn.",
  ],
  flags: [
    { name: "model", placeholder: "MODEL", description: "A model of `codex-native-api models`." },
    { name: "instructions", placeholder: "TEXT", description: "What the model is told before the question." },
    { name: "effort", placeholder: "EFFORT", description: "Reasoning effort, such as low, medium or high." },
    {
      name: "json-schema",
      placeholder: "FILE|JSON",
      description: "Answer with JSON that obeys this schema, printed when it is whole.",
    },
  ],
  operands: { shown: "[TEXT|-]", max: 1, choices: null },
  options: [
    options.config,
    options.listen.host,
    options.listen.port,
    options.auth.tokenFile,
    options.turns.defaultModel,
  ],
  examples: [
    'ask "What is the capital of France?"',
    'ask --instructions "Summarize in one sentence." < report.txt',
    'ask --json-schema intent.schema.json "Could you open the garage?" | jq .intent',
  ],
  exits: ["done", "failed", "configuration", "notReady", "interrupted"],
  run: (context, input) =>
    withConfig(context, input, async (loaded) => {
      const { ask } = await import("../ask/ask.js");
      return ask(context, input, loaded);
    }),
};
